#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/systemd_identity.hpp"
#include "watcher/drivers/systemd_notes.hpp"
#include "watcher/drivers/systemd_runner.hpp"

namespace watcher {

// Why a switch could not be done now, for people, with what to do; empty: it could. `to` may be empty.
std::string why_no_switch(const SystemdDriver& config, const std::vector<SystemdUnit>& units, const std::string& to);

// How far the units have come after they were restarted.
struct SystemdProgress {
  std::string failed;   // for people; empty: none has
  std::string awaited;  // the same; empty: all are active
  std::string seen;     // the same as long as nothing was started anew
};
SystemdProgress progress_of(const std::vector<SystemdUnit>& units);

// One switch: the link is changed, the units are restarted and have to stay active for a while. When they do not, the
// link and they are put back. References must outlive it.
class SystemdSwitch {
 public:
  SystemdSwitch(const SystemdRunner& runner, const SystemdNotesFile& file, SystemdNotes& notes, SystemdMemory& memory,
                const probes::Clock& clock, SwitchRequest request);
  asio::awaitable<rules::StepResult> run();

 private:
  using MaybeTrouble = std::optional<SystemdError>;

  asio::awaitable<MaybeTrouble> prepare();
  asio::awaitable<MaybeTrouble> change();
  asio::awaitable<MaybeTrouble> restart(rules::Duration limit);
  asio::awaitable<MaybeTrouble> wait_until_up(rules::Instant since, rules::Instant end);
  asio::awaitable<MaybeTrouble> verify(MaybeTrouble answer);
  asio::awaitable<std::string> stopped_meanwhile();
  // What a unit that did not come up wrote last.
  asio::awaitable<void> add_last_words(SystemdError& trouble, MaybeTrouble answer, rules::Instant since);
  asio::awaitable<void> put_back(SystemdError& trouble);
  MaybeTrouble note(std::string switching_to);
  rules::Duration left() const;

  const SystemdRunner& runner_;
  const SystemdNotesFile& file_;
  SystemdNotes& notes_;
  SystemdMemory& memory_;
  const probes::Clock& clock_;
  SwitchRequest request_;
  rules::Instant deadline_;
  SystemdLook before_;
  std::string left_;         // the release that the link is put back to; empty: none is known
  bool begun_ = false;       // something was changed
  bool going_back_ = false;  // which is not called off with the switch
  rules::StepResult result_;
};

}  // namespace watcher
