#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probes/net/child.hpp"
#include "rules/engine/events.hpp"
#include "watcher/config/config.hpp"
#include "watcher/drivers/systemd_unit.hpp"

namespace watcher {

namespace asio = boost::asio;

// Why something could not be done or found out, for people.
struct SystemdError {
  std::string what;
  rules::StepStatus status = rules::StepStatus::failed;
};
using SystemdUnits = std::variant<std::vector<SystemdUnit>, SystemdError>;

// systemd answers in milliseconds.
inline constexpr rules::Duration systemd_question_limit = std::chrono::seconds(4);

// Runs systemctl(1) as ourselves. The configuration, which names the units, must outlive it.
class SystemdRunner {
 public:
  // `started` is told of every command that changes something; empty: nobody wants to know.
  SystemdRunner(const SystemdDriver& config, probes::Started started);

  const SystemdDriver& config() const { return config_; }
  // Why systemctl could not be started, and what to do; empty: it could.
  std::string why_not_started() const;
  // Each of the units, in their order.
  asio::awaitable<SystemdUnits> show() const;
  // `systemctl VERB UNITS`; what it printed is added to `output`. nullopt: done.
  asio::awaitable<std::optional<SystemdError>> change(std::string verb, rules::Duration limit,
                                                      std::string& output) const;
  // `systemctl` or `journalctl` for these units, with whose manager it is.
  probes::ChildSpec about_units(std::string program, std::vector<std::string> arguments, rules::Duration limit) const;
  // `journalctl` for what systemd itself wrote of these units since the boot, the newest first, where it is one of
  // `messages` (matches of MESSAGE_ID).
  probes::ChildSpec journal_of_systemd(const std::vector<std::string>& units,
                                       const std::vector<std::string>& messages) const;
  // Which of the unit's conditions or asserts were not met when it was to be started last, made visible; empty: none
  // is known. systemd forgets that of a unit to which nothing refers.
  asio::awaitable<std::string> unmet(std::string unit) const;
  // All that it asserts, made visible.
  asio::awaitable<std::string> asserts(std::string unit) const;
  // The last line that the unit itself wrote into the journal since then, made visible; empty: none is known.
  asio::awaitable<std::string> last_words_of(std::string unit, rules::Instant since) const;

 private:
  std::vector<std::string> systemctl() const;
  bool is_of_user() const;
  probes::ChildSpec plain(std::vector<std::string> argv, rules::Duration limit) const;
  SystemdError error_of(std::string_view deed, const probes::ChildResult& child, rules::Duration limit) const;

  const SystemdDriver& config_;
  probes::Started started_;
};

}  // namespace watcher
