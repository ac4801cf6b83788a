#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "probes/clock.hpp"
#include "probes/net/child.hpp"
#include "rules/engine/events.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

namespace asio = boost::asio;

struct SwitchRequest {
  rules::Revision from;
  rules::Revision to;
  rules::IncidentId incident;
  std::map<std::string, std::string> env;  // ROLLBACKD_*
  rules::Duration limit{};
  probes::Started started{};  // to be told of every child that may change something
};

// How a service's revision is read and switched. Never throws for what the commands do.
class Driver {
 public:
  virtual ~Driver() = default;
  // What runs now. Called every 10 s: cheap, and bounded by 10 s.
  virtual asio::awaitable<rules::RevisionRead> identify() = 0;
  // Whether a switch could be done now: commands exist, repository is there, `to` (if given) is in it.
  virtual asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) = 0;
  virtual asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) = 0;
  // Lines for the report after a switch: what was stashed, how to return to the branch. Empty when nothing is to say.
  virtual std::string aftermath() const = 0;
};

// What a driver can be, and the words of the contract for what this version has not.
std::span<const probes::Variety> driver_kinds();

// nullptr for a service without one. `clock` must outlive it.
std::unique_ptr<Driver> make_driver(const DriverSection& section, const std::string& state_dir,
                                    const probes::Clock& clock);

}  // namespace watcher
