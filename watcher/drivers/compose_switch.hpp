#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "probes/clock.hpp"
#include "rules/engine/events.hpp"
#include "watcher/drivers/compose_foresight.hpp"
#include "watcher/drivers/compose_memory.hpp"
#include "watcher/drivers/compose_reading.hpp"
#include "watcher/drivers/compose_runner.hpp"
#include "watcher/drivers/compose_sharers.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// How far the containers of a look have come.
struct ComposeProgress {
  bool is_up = false;
  bool is_certain = false;  // somebody asks for its health
  std::string failed;       // for people; empty: it has not
  std::string awaited;
  std::string seen;  // the same as long as nothing was restarted
};
ComposeProgress progress_of(const ComposeLook& look, const std::vector<std::string>& services);

// One switch: `docker compose up` for the services and what shares their network alone, with a configuration in which
// their images are pinned by id. The user's files are not touched, unless kept ones are to be restored. When it fails,
// what ran before is put back the same way. References must outlive it.
class ComposeSwitch {
 public:
  ComposeSwitch(const ComposeRunner& runner, ComposeTool tool, ComposeMemory& memory, const probes::Clock& clock,
                std::string service, SwitchRequest request);
  asio::awaitable<rules::StepResult> run();

 private:
  using MaybeTrouble = std::optional<ComposeError>;
  struct PutAside {
    std::string file;  // the user's
    std::string ours;  // where what it had lies
  };

  asio::awaitable<MaybeTrouble> prepare();
  MaybeTrouble write_documents(const std::string& service);
  asio::awaitable<MaybeTrouble> change();
  asio::awaitable<MaybeTrouble> restore_files();
  asio::awaitable<MaybeTrouble> up(std::string document, rules::Duration limit);
  asio::awaitable<MaybeTrouble> up_unless_in_the_way();
  asio::awaitable<ComposeLook> settled();
  bool is_of_others(const ComposeLook& look) const;
  asio::awaitable<MaybeTrouble> wait_until_up(rules::Instant since, rules::Instant end);
  asio::awaitable<MaybeTrouble> verify();
  asio::awaitable<void> look_at_sharers(ComposeLook look);
  asio::awaitable<std::string> stopped_meanwhile();
  asio::awaitable<void> put_back(ComposeError& trouble);
  asio::awaitable<void> forget_aftermath(ComposeError& trouble);
  asio::awaitable<void> put_files_back(ComposeError& trouble);
  asio::awaitable<bool> files_say_target();
  std::vector<std::string> what_files_still_say();
  asio::awaitable<MaybeTrouble> note_aftermath();
  std::vector<std::string> command_up() const;
  std::vector<std::string> arguments_up() const;
  rules::Duration left() const;

  const ComposeRunner& runner_;
  ComposeTool tool_;
  ComposeMemory& memory_;
  const probes::Clock& clock_;
  std::string service_;
  SwitchRequest request_;
  rules::Instant deadline_;
  ComposeLook before_;
  ComposeSharers sharers_;
  ComposeRecord target_;
  std::string to_document_;    // of ours
  std::string from_document_;  // empty: what runs cannot be put back
  std::string why_no_way_back_;
  std::vector<PutAside> put_aside_;
  bool begun_ = false;       // something was changed
  bool collided_ = false;    // the last `up` with somebody else's work
  bool overtaken_ = false;   // by somebody's deployment, against which nothing is put back
  bool going_back_ = false;  // which is not called off with the switch
  rules::StepResult result_;
};

}  // namespace watcher
