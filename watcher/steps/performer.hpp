#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "probes/net/resolver.hpp"
#include "rules/engine/commands.hpp"
#include "rules/engine/events.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/steps/command.hpp"

namespace watcher {

// Does one step of a plan: run, http, capture, switch (through the service's driver). notify goes through the outbox
// and is done by the caller. One attempt: further ones are the engine's, each with a StepId of its own.
class Performer {
 public:
  // What it has to know of a service.
  struct Services {
    // nullptr: it has none.
    std::function<Driver*(const rules::ServiceName&)> driver = [](const auto&) { return nullptr; };
    // Where its commands run that say nothing else; empty: where we do.
    std::function<std::string(const rules::ServiceName&)> dir = [](const auto&) { return std::string(); };
  };
  // Evidence goes to INCIDENTS_DIR/INCIDENT/evidence. References must outlive it. `secrets` are those of the whole
  // configuration: a command inherits ours and prints what it likes.
  Performer(std::string incidents_dir, probes::Resolver& resolver, Services services, std::vector<std::string> secrets);
  // Steps that somebody else does: `takes` says which. The result is redacted as ours are.
  struct Elsewhere {
    std::function<bool(const rules::Perform&)> takes;
    std::function<asio::awaitable<rules::StepResult>(rules::Perform, probes::Started)> perform;
  };
  void send_elsewhere(Elsewhere elsewhere) { elsewhere_ = std::move(elsewhere); }
  // Never throws for what the step does. Cancelling ends it as its time-out would, and then returns. The secrets and
  // those of the step, which may be of a configuration of before, are redacted from the result. `started` is told of
  // every child of a run or switch step; it may be empty.
  asio::awaitable<rules::StepResult> perform(rules::Perform command, probes::Started started);

 private:
  std::vector<std::string> secrets_in(const rules::Perform& command) const;
  asio::awaitable<rules::StepResult> attempt(rules::Perform command, probes::Started started);
  asio::awaitable<rules::StepResult> run(rules::Perform command, probes::Started started);
  asio::awaitable<rules::StepResult> ask_http(rules::Perform command);
  asio::awaitable<rules::StepResult> capture(rules::Perform command);
  // With those beside it: it is done when all are.
  asio::awaitable<rules::StepResult> capture_all(rules::Perform command);
  asio::awaitable<void> capture_beside(rules::Perform command);
  asio::awaitable<rules::StepResult> switch_revision(rules::Perform command, probes::Started started);
  // The child of a run or capture step; its argv is empty when the revisions must not be put into it.
  probes::ChildSpec child_of(const rules::Perform& command, const std::vector<std::string>& argv) const;

  std::string incidents_dir_;
  probes::Resolver& resolver_;
  Services services_;
  std::vector<std::string> secrets_;
  Elsewhere elsewhere_{};
  std::map<rules::StepId, rules::StepResult> captured_;  // beside others, and not yet asked for
};

}  // namespace watcher
