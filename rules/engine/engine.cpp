#include "rules/engine/engine.hpp"

#include <utility>

#include "rules/engine/core.hpp"

namespace rules {

struct Engine::State {
  Core core;
};

Engine::Engine(CoreConfig config, DurableState durable, Instant now)
    : state_(new State{Core(std::move(config), std::move(durable), now)}) {}
Engine::~Engine() = default;

void Engine::observe(Event event) { state_->core.observe(std::move(event)); }
void Engine::refill(const Poll& poll) { state_->core.refill(poll); }
std::vector<Command> Engine::advance(Instant now) { return state_->core.advance(now); }
std::vector<Command> Engine::complete(const StepId& step, const StepResult& result, Instant now) {
  return state_->core.complete(step, result, now);
}
Answer Engine::request(const Request& request, Instant now) { return state_->core.request(request, now); }
std::vector<Command> Engine::reload(CoreConfig config, Instant now) {
  return state_->core.reload(std::move(config), now);
}
void Engine::hold_new_steps() { state_->core.hold_new_steps(); }
std::optional<Instant> Engine::next_deadline() const { return state_->core.next_deadline(); }
EngineView Engine::view(Instant now) const { return state_->core.view(now); }
std::size_t Engine::kept(const ProbeName& probe, std::size_t instance) const {
  return state_->core.kept(probe, instance);
}
PlanByHand Engine::plan(const RollbackByHand& request) const { return state_->core.plan(request); }
std::vector<LedgerRecord> Engine::revisions_of(const ServiceName& service) const {
  return state_->core.revisions_of(service);
}
std::optional<Situation> Engine::situation(const IncidentId& incident, Instant now) const {
  return state_->core.situation(incident, now);
}
std::vector<SpanRecord> Engine::spans(Instant now) const { return state_->core.spans(now); }
Work Engine::work() const { return state_->core.work(); }

}  // namespace rules
