#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "rules/engine/commands.hpp"
#include "rules/engine/config.hpp"
#include "rules/engine/events.hpp"
#include "rules/engine/view.hpp"
#include "rules/engine/work.hpp"

namespace rules {

// The decision core: a pure function of (configuration, durable state, event stream, time).
//
// Use: observe() every event as it comes, advance(now) afterwards and whenever next_deadline() has passed, do what
// it commands, complete() each Perform and LockHost. Events carry their own times; advance() handles events and due
// timers in the order of time, so that being called late changes nothing but when the commands come out.
class Engine {
 public:
  Engine(CoreConfig config, DurableState durable, Instant now);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Stores, decides nothing.
  void observe(Event event);
  // A poll from before this start: fills windows, decides nothing, ends no warm-up.
  void refill(const Poll& poll);
  // Decides. `now` never goes back.
  std::vector<Command> advance(Instant now);
  // What became of a Perform or LockHost.
  std::vector<Command> complete(const StepId& step, const StepResult& result, Instant now);
  // A person's request; the commands that follow from it come with the next advance(), which is to be called at once.
  Answer request(const Request& request, Instant now);
  // A new configuration that has been checked. Open incidents keep the plan they began with, unchanged rules their
  // spans.
  std::vector<Command> reload(CoreConfig config, Instant now);

  // A stop: no step is begun any more. What is in flight ends and is written down, and the next start goes on at the
  // first step not started.
  void hold_new_steps();

  // When advance() has something to do though nothing was observed.
  std::optional<Instant> next_deadline() const;

  EngineView view(Instant now) const;
  // About how many bytes of memory are kept of what one address of the probe brought. Nothing is decided by it.
  std::size_t kept(const ProbeName& probe, std::size_t instance) const;
  // What a rollback by hand would do now. Asking changes nothing.
  PlanByHand plan(const RollbackByHand& request) const;
  // What the view's ledger has of one service: whoever needs no more spares the work of a view of all.
  std::vector<LedgerRecord> revisions_of(const ServiceName& service) const;
  // Where an incident stands that is open, or that ended and left rules bad; nothing: it is over.
  std::optional<Situation> situation(const IncidentId& incident, Instant now) const;
  // The spans as they are now, to be saved at a stop and every few seconds.
  std::vector<SpanRecord> spans(Instant now) const;
  Work work() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rules
