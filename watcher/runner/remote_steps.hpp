#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "rules/engine/commands.hpp"
#include "rules/engine/events.hpp"
#include "watcher/config/config.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/runner/runner_client.hpp"
#include "watcher/steps/performer.hpp"

namespace watcher {

// The steps of plans that the runner does, as the watcher sees them: it names them and waits for what came of them. A
// connection that breaks, a runner that is ended and comes back, a watcher that was: the step is asked for again by its
// name and never begun a second time.
class RemoteSteps {
 public:
  RemoteSteps(std::shared_ptr<const Config> config, std::shared_ptr<RunnerClient> client);

  // Whether it is the runner's to do: commands, captures, and switches by drivers that are there.
  bool takes(const rules::Perform& command) const;
  // As Performer::perform(): never throws for what the step does, and cancelling ends it as its time-out would.
  asio::awaitable<rules::StepResult> perform(rules::Perform command, probes::Started started);
  // What became of a step that an earlier watcher asked for. `unseen` where nobody knows.
  asio::awaitable<rules::StepResult> find_again(rules::StepId step, probes::Started started);

 private:
  asio::awaitable<RunnerReply> ask_until_reached(Question question, rules::Duration patience, probes::Started started);
  asio::awaitable<rules::StepResult> follow(rules::StepId step, RunnerReply reply, probes::Started started);
  asio::awaitable<void> call_off(rules::StepId step);
  void link_evidence(const rules::IncidentId& incident) const;

  std::shared_ptr<const Config> config_;  // with the steps that run while it is exchanged
  std::shared_ptr<RunnerClient> client_;
};

// For the performer. Shared with it.
Performer::Elsewhere elsewhere(std::shared_ptr<RemoteSteps> steps);

// The changing step that was in flight at our end and is the runner's to do; it says what became of it.
std::optional<rules::StepId> left_at_runner(const Config& config, const rules::DurableState& durable);

}  // namespace watcher
