#include "rules/signals/measurements.hpp"

#include <cassert>

#include "rules/conditions/judge.hpp"
#include "rules/signals/store.hpp"

namespace rules {

struct Measurements::State {
  Store store;
};

Measurements::Measurements(std::vector<ProbeShape> probes, std::vector<SignalSpec> signals,
                           const std::vector<Condition>& conditions)
    : state_(new State{Store(std::move(probes), std::move(signals), conditions)}) {}
Measurements::~Measurements() = default;
Measurements::Measurements(Measurements&&) noexcept = default;
Measurements& Measurements::operator=(Measurements&&) noexcept = default;

void Measurements::observe(const Poll& poll) { state_->store.observe(poll); }

void Measurements::instance_restarted(const ProbeName& probe, Instant at) {
  state_->store.instance_restarted(probe, at);
}

void Measurements::adopt(Measurements&& old) {
  assert(old.state_ != nullptr);
  state_->store.adopt(std::move(old.state_->store));
}

Measured Measurements::signal(const SignalName& name, const Scope& scope, Instant at, Part part) const {
  const Estimate estimate = state_->store.estimate(name, scope, at, part);
  return estimate.between ? estimate.number() : estimate.measured;
}

Measured Measurements::field(const FieldRef& field, const Scope& scope, Instant at) const {
  return state_->store.field(field, scope, at);
}

Judgement Measurements::judge(const Condition& condition, const Scope& scope, Instant at, Part part) const {
  return rules::judge(state_->store, condition, scope, at, part);
}

Up Measurements::up(const ProbeName& probe, Instant at) const { return state_->store.up(probe, at); }

Instant Measurements::up_until(const ProbeName& probe, Instant at) const { return state_->store.up_until(probe, at); }

std::size_t Measurements::kept(const ProbeName& probe, std::size_t instance) const {
  return state_->store.kept(probe, instance);
}

std::optional<Measurements::LastPoll> Measurements::last_poll(const ProbeName& probe) const {
  return state_->store.last_poll(probe);
}

std::set<ProbeName> Measurements::probes_of(const Condition& condition) const {
  std::set<ProbeName> out;
  for (const Condition::Reference& reference : condition.references()) {
    if (reference.baseline || reference.before) continue;
    if (const auto* signal = std::get_if<SignalRef>(&reference.to)) {
      if (const auto probe = state_->store.probe_of(signal->signal)) out.insert(*probe);
    } else if (const auto* field_ref = std::get_if<FieldRef>(&reference.to)) {
      out.insert(field_ref->probe);
    } else {
      out.insert(std::get<RestartsRef>(reference.to).probe);
    }
  }
  return out;
}

bool Measurements::windowed(const Condition& condition) const {
  for (const Condition::Reference& reference : condition.references()) {
    if (reference.baseline || reference.before) continue;
    if (reference.over_time) return true;
    const auto* signal = std::get_if<SignalRef>(&reference.to);
    if (signal != nullptr && state_->store.windowed(signal->signal)) return true;
  }
  return false;
}

std::map<SignalName, std::string> Measurements::taken() const { return state_->store.taken(); }

std::string frozen_key(const Expression& signal_or_field) {
  if (const auto* field = std::get_if<FieldRef>(&signal_or_field.node)) return to_string(*field);
  const auto* signal = std::get_if<SignalRef>(&signal_or_field.node);
  assert(signal != nullptr);
  return to_string(*signal);
}

}  // namespace rules
