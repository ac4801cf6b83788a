#include <algorithm>
#include <utility>

#include "rules/engine/revisions/revisions.hpp"

// A revision proves itself: armed until it is baked, and its baselines (SPEC 2.9, 2.17).

namespace rules {

namespace {

// How far it is baked is written at most this often.
constexpr Duration baked_saved_every = std::chrono::minutes(1);
// A rule that can be judged no more, and nobody mends, does not keep a revision from being good for ever.
constexpr Duration judged_within = std::chrono::hours(24);

}  // namespace

// What is compared with its baseline is collected while the revision bakes.
void Revisions::watch() {
  baseline_of_.clear();
  const auto collect = [&](const Condition& condition) {
    for (const Condition::Reference& reference : condition.references()) {
      if (!reference.baseline) continue;
      const std::optional<ProbeName> probe = doors_.evidence.probe_of(reference);
      if (probe) baseline_of_[*probe].insert_or_assign(frozen_key(reference), reference);
    }
  };
  for (const WatchedRule* rule : std::as_const(doors_.evidence).rules()) {
    collect(rule->spec().when);
    if (rule->spec().clear) collect(*rule->spec().clear);
  }
  tell_deploying();
}

bool Revisions::is_armed() const {
  if (spec_.arm == Arm::always) return true;
  const LedgerRecord* running = running_record();
  return running != nullptr && running->standing != Standing::good;
}

bool Revisions::is_baking(bool in_incident) const {
  const LedgerRecord* running = running_record();
  if (running == nullptr || running->baked_ns >= spec_.bake.count()) return false;
  const Evidence& evidence = doors_.evidence;
  if (evidence.is_deploying() || unconfirmed_ || in_incident || !evidence.is_configured()) return false;
  // What is well may be something else.
  if (!readability_.why_not().empty() || running->presumed) return false;
  if (!evidence.probes().empty() && evidence.worst_up() != Up::up) return false;
  // One that did harm before has to be seen good; that nothing bad could be measured is not enough.
  if (running->standing == Standing::bad && !evidence.are_all_good()) return false;
  // A night without visitors, or a page that has lost what was judged by, proves nothing.
  const bool is_soon = now() < running->appeared + judged_within;
  if (is_soon && evidence.awaits_judging(std::max(running->appeared, running_since_))) return false;
  return !evidence.is_any_bad();
}

void Revisions::look_at_baking(bool in_incident) {
  const bool was_baking = bake_from_ != Instant::max();
  const bool bakes = is_baking(in_incident);
  bake_from_ = bakes ? now() : Instant::max();
  if (!was_baking || bakes) return;
  for (const auto& [probe, values] : baseline_of_) {
    for (const auto& [key, reference] : values) collector_.interrupt(key);
  }
}

void Revisions::bake() {
  if (bake_from_ == Instant::max()) return;
  LedgerRecord* running = record_of_running();
  if (running == nullptr) return;
  running->baked_ns += (now() - bake_from_).count();
  bake_from_ = now();
  const bool done = running->baked_ns >= spec_.bake.count();
  if (!done && bake_saved_ + baked_saved_every > now()) return;
  bake_saved_ = now();
  for (const auto& [key, value] : collector_.freeze()) running->collected[key] = value;
  if (done) {
    bake_from_ = Instant::max();
    running->standing = Standing::good;
    // What it ends with is what it was verified with.
    if (!running->schema_said) running->schema_other.clear();
    doors_.effects.note("baked", {{"service", spec_.name.text}, {"revision", running->revision.text}});
  }
  save(*running);
}

void Revisions::bake_anew() {
  LedgerRecord* running = record_of_running();
  if (running == nullptr || running->baked_ns >= spec_.bake.count()) return;
  running->baked_ns = 0;
  save(*running);
}

Duration Revisions::baked() const {
  const LedgerRecord* running = running_record();
  Duration out = running == nullptr ? Duration::zero() : Duration(running->baked_ns);
  if (bake_from_ != Instant::max()) out += now() - bake_from_;
  return out;
}

void Revisions::collect_baselines(const ProbeName& polled, bool in_incident) {
  const auto values = baseline_of_.find(polled);
  if (values == baseline_of_.end()) return;
  const bool counts = is_baking(in_incident);
  for (const auto& [key, reference] : values->second) {
    const Measured measured = doors_.evidence.measure(reference);
    if (counts && measured.value) {
      collector_.observe(key, now(), *measured.value, doors_.evidence.max_gap());
    } else {
      collector_.interrupt(key);
    }
  }
}

std::map<std::string, double> Revisions::baselines_after(const LedgerRecord* old) const {
  if (old == nullptr) return {};
  std::map<std::string, double> out = old->baselines;
  if (old->standing != Standing::good) return out;
  for (const auto& [key, value] : old->collected) out[key] = value;
  for (const auto& [key, value] : collector_.freeze()) out[key] = value;
  return out;
}

void Revisions::add_deadlines(std::vector<Instant>& out) const {
  if (deploying_since_) out.push_back(*deploying_since_ + spec_.deploy_timeout);
  if (absent_since_) out.push_back(*absent_since_ + absence_max());
  if (absent_since_ && !stop_told_) out.push_back(*absent_since_ + stop_told_after);
  const LedgerRecord* running = running_record();
  if (running == nullptr) return;
  if (bake_from_ != Instant::max()) out.push_back(bake_from_ + (spec_.bake - Duration(running->baked_ns)));
  for (const RuleName& name : running->preexisting) {
    const WatchedRule* rule = std::as_const(doors_.evidence).find(name);
    if (rule == nullptr || !rule->is(Verdict::good)) continue;
    out.push_back(now() + (rule->spec().sustain - rule->good_for(now())));
  }
}

}  // namespace rules
