#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <string>

#include "probes/net/resolver.hpp"
#include "rules/engine/commands.hpp"
#include "rules/engine/events.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// Does one step of a plan: run, http, capture, switch (through the service's driver). notify goes through the outbox
// and is done by the caller.
class Performer {
 public:
  // Evidence goes to EVIDENCE_ROOT/INCIDENT/evidence. References must outlive it.
  Performer(std::string incidents_dir, probes::Resolver& resolver,
            std::map<rules::ServiceName, Driver*> drivers, std::map<rules::ServiceName, std::string> dirs);
  // Never throws for what the step does. Cancelling ends it as its time-out would, and then returns.
  asio::awaitable<rules::StepResult> perform(rules::Perform command);

 private:
  std::string incidents_dir_;
  probes::Resolver& resolver_;
  std::map<rules::ServiceName, Driver*> drivers_;
  std::map<rules::ServiceName, std::string> dirs_;
};

// ROLLBACKD_SERVICE, _INCIDENT, ... for a step's command.
std::map<std::string, std::string> step_environment(const rules::Perform& command, const std::string& evidence_dir);
// {to} and {from}; nullopt when the revision must not be put into an argv.
std::optional<std::vector<std::string>> expand_argv(const std::vector<std::string>& argv,
                                                    const rules::Revision& from, const rules::Revision& to);

}  // namespace watcher
