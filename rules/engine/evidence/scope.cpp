#include <algorithm>

#include "rules/engine/evidence/evidence.hpp"

// From when on what was measured counts, and what makes it not count at all.

namespace rules {

void Evidence::count_from(Instant at) {
  is_changed_ = is_changed_ || at > not_before_;
  not_before_ = std::max(not_before_, at);
}

void Evidence::count_from(Instant at, Cause before) {
  count_from(at);
  not_before_cause_ = before;
}

void Evidence::warm_up(Instant until) {
  warming_.begin(probes_, now(), until);
  is_changed_ = true;
}

void Evidence::warm_up_after(OwnDeed deed, std::optional<Instant> deed_began, Instant until) {
  warming_.begin_after(deed, deed_began, probes_, now(), until);
  is_changed_ = true;
}

void Evidence::deploying_until(std::optional<Instant> until) {
  is_changed_ = is_changed_ || until != deploying_until_;
  deploying_until_ = until;
}

void Evidence::switching_until(std::optional<Instant> until) {
  is_changed_ = is_changed_ || until != switching_until_;
  switching_until_ = until;
}

void Evidence::forgive_stop() {
  if (!stopped_since_) return;
  for (const WatchedRule* rule : firing()) {
    const bool is_of_health = rule->when_probes().size() == 1 && *rule->when_probes().begin() == spec_.health;
    const Instant bad_since = rule->progress(now()).bad_since.value_or(Instant::min());
    if (is_of_health && bad_since >= *stopped_since_) restart_span(rule->name());
  }
}

void Evidence::restart_spans(Leaves leaves) {
  for (std::size_t which = 0; which < rules_.size(); ++which) {
    rules_[which]->restart(now(), leaves);
    // Saved with the reason for it: a start would else find the span of before, and fire on evidence that ended here.
    measuring_.effects.save(rules_[which]->record(now(), false));
    note(which);
  }
  is_changed_ = true;
}

bool Evidence::is_explicable(const WatchedRule& rule) const {
  return rule.spec().unless_max > Duration::zero() && rule.state() != RuleState::idle && !rule.is_answered();
}

bool Evidence::is_any_explicable() const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const WatchedRule* rule) { return is_explicable(*rule); });
}

bool Evidence::count_anew_what_is_bad(Instant since) {
  bool any = false;
  for (std::size_t which = 0; which < rules_.size(); ++which) {
    WatchedRule& rule = *rules_[which];
    if (!is_explicable(rule)) continue;
    rule.restart(now(), Leaves::good_run);
    measuring_.effects.save(rule.record(now(), false));
    note(which);
    any = true;
  }
  if (!any) return false;
  count_from(since, Cause::warming_up);
  look_again();
  return true;
}

void Evidence::restart_span(const RuleName& rule) {
  const std::size_t which = owned_.at(rule).number;
  rules_[which]->restart(now(), Leaves::nothing);
  measuring_.effects.save(rules_[which]->record(now(), false));
  note(which);
  is_changed_ = true;
}

void Evidence::forget_answers() {
  for (WatchedRule* rule : firing()) forget_answer(*rule);
}

void Evidence::forget_answer(WatchedRule& rule) {
  rule.mark_answered(false);
  measuring_.effects.save(rule.record(now(), false));
}

void Evidence::forget_known() {
  for (WatchedRule* rule : rules_) rule->forget_known();
}

std::optional<Cause> Evidence::blanket(const WatchedRule& rule) const {
  if (measuring_.trouble.blinds()) return Cause::self_degraded;
  // What fired before counts on: how long it was bad is told.
  if (is_deploying() || (is_switching() && !rule.is_firing())) return Cause::deploying;
  if (warming_.covers(rule.when_probes(), now())) return Cause::warming_up;
  return std::nullopt;
}

Scope Evidence::scope(std::optional<Cause> blanket) const {
  Scope out;
  out.not_before = not_before_;
  out.not_before_cause = not_before_cause_;
  out.blanket = blanket;
  out.baselines = &baselines_.all();
  if (before_) out.before = &*before_;
  return out;
}

}  // namespace rules
