#include <algorithm>
#include <iterator>

#include "rules/engine/evidence/evidence.hpp"

// What can be asked of the evidence. Asking changes nothing.

namespace rules {

Judgement Evidence::judge(const Condition& condition, Instant not_before) const {
  Scope in = scope(std::nullopt);
  in.not_before = std::max(in.not_before, not_before);
  return measuring_.measurements.judge(condition, in, now());
}

Judgement Evidence::judge_with(const Condition& condition, const FrozenValues& before) const {
  std::optional<Cause> nothing_counts;
  if (warming_.covers(measuring_.measurements.probes_of(condition), now())) nothing_counts = Cause::warming_up;
  if (is_deploying()) nothing_counts = Cause::deploying;
  if (measuring_.trouble.blinds()) nothing_counts = Cause::self_degraded;
  Scope in = scope(nothing_counts);
  in.before = &before;
  return measuring_.measurements.judge(condition, in, now());
}

Judgement Evidence::judge_now(const WatchedRule& rule, Instant at) const {
  return measuring_.measurements.judge(rule.spec().when, scope(blanket(rule)), at);
}

Measured Evidence::measure(const Condition::Reference& signal_or_field) const {
  const Scope in = scope(std::nullopt);
  if (const auto* signal = std::get_if<SignalRef>(&signal_or_field.to)) {
    return measuring_.measurements.signal(signal->signal, in, now());
  }
  if (const auto* field = std::get_if<FieldRef>(&signal_or_field.to)) {
    return measuring_.measurements.field(*field, in, now());
  }
  return unknown(Cause::config_error, "neither a signal nor a field");
}

std::optional<ProbeName> Evidence::probe_of(const Condition::Reference& signal_or_field) const {
  if (const auto* field = std::get_if<FieldRef>(&signal_or_field.to)) return field->probe;
  const auto* read = std::get_if<SignalRef>(&signal_or_field.to);
  if (read == nullptr) return std::nullopt;
  for (const SignalSpec& signal : measuring_.config.signals) {
    if (signal.name == read->signal) return signal.probe;
  }
  return std::nullopt;
}

bool Evidence::are_all_good() const {
  return std::all_of(rules_.begin(), rules_.end(), [](const WatchedRule* rule) {
    return rule->spec().severity == Severity::p3 || (rule->is(Verdict::good) && !rule->is_firing());
  });
}

bool Evidence::awaits_judging(Instant since) const {
  return std::any_of(rules_.begin(), rules_.end(), [since](const WatchedRule* rule) {
    return rule->spec().severity != Severity::p3 && rule->awaits_judging(since);
  });
}

// Bad for no longer than it takes to fire, and for no other reason than that nobody listened any more.
bool Evidence::is_only_stopped(const WatchedRule& rule, Instant bad_since, Instant at) const {
  const Instant until = std::min(at, stopped_by_hand_.value_or(at));
  if (!stopped_since_ || bad_since < *stopped_since_ || until - bad_since >= rule.spec().sustain) return false;
  return rule.when_probes().size() == 1 && *rule.when_probes().begin() == spec_.health;
}

std::vector<RuleName> Evidence::bad_at(Instant at, const std::vector<RuleName>& inherited) const {
  std::vector<RuleName> out;
  for (const WatchedRule* rule : rules_) {
    const auto& known = rule->known();
    const auto end = std::make_reverse_iterator(known.begin());
    const auto last = std::find_if(std::make_reverse_iterator(known.end()), end,
                                   [&](const KnownVerdict& one) { return one.at <= at; });
    const bool was_bad = last != end && last->verdict == Verdict::bad && !is_only_stopped(*rule, last->at, at);
    const bool inherits = last == end && std::find(inherited.begin(), inherited.end(), rule->name()) != inherited.end();
    if (was_bad || inherits) out.push_back(rule->name());
  }
  return out;
}

FrozenValues Evidence::values_before() {
  remember_values();
  return last_known_.values(now());
}

}  // namespace rules
