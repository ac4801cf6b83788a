#include "rules/engine/incident/verification.hpp"

#include <algorithm>

#include "rules/engine/incident/last_seen.hpp"
#include "rules/engine/told.hpp"

namespace rules {

namespace {

// A rung's settle holds at least this many polls of the service's slowest probe.
constexpr int settle_polls_min = 2;
constexpr Duration settle_default = std::chrono::minutes(5);
constexpr Duration verify_hold_default = std::chrono::minutes(5);

// Labelled counters are on a page from the first request on: of what was just started `no_data` means none.
bool is_idle(Cause cause) { return cause == Cause::no_traffic || cause == Cause::no_data; }
bool is_thin(Cause cause) { return is_idle(cause) || cause == Cause::too_few_samples; }

Duration window_of(const Condition& condition, const std::vector<SignalSpec>& signals, Duration SignalSpec::*which) {
  Duration window{};
  for (const Condition::Reference& reference : condition.references()) {
    const auto* read = std::get_if<SignalRef>(&reference.to);
    if (read == nullptr) continue;
    for (const SignalSpec& signal : signals) {
      if (signal.name == read->signal) window = std::max(window, signal.*which);
    }
  }
  return window;
}

}  // namespace

std::vector<const WatchedRule*> Verification::rules() const {
  std::vector<const WatchedRule*> out;
  const auto& joined = view_.incident.rules;
  for (const WatchedRule* rule : view_.evidence.rules()) {
    const bool is_in =
        std::any_of(joined.begin(), joined.end(), [&](const JoinedRule& one) { return one.rule == rule->name(); });
    const bool acts_or_asks = rule->spec().severity != Severity::p3;
    const bool has_say = acts_or_asks || mode_of(rule->spec(), view_.cap) >= Mode::ask;
    if ((is_in && has_say) || (view_.incident.by_hand && acts_or_asks)) out.push_back(rule);
  }
  return out;
}

bool Verification::any(Verdict verdict) const {
  const std::vector<const WatchedRule*> covered = rules();
  return std::any_of(covered.begin(), covered.end(), [&](const WatchedRule* rule) { return rule->is(verdict); });
}

bool Verification::runs_target() const {
  if (!view_.service.has_identity || !view_.incident.switched) return true;
  return view_.revisions.running() == view_.incident.to;
}

Duration Verification::hold_of(const WatchedRule& rule) const {
  if (view_.plan != nullptr && view_.plan->verify.hold) return *view_.plan->verify.hold;
  return recovery_hold(rule.spec());
}

// Another P0 to P2 rule that is bad now and was not when the revision came.
bool Verification::others_bad() const {
  const std::vector<const WatchedRule*> covered = rules();
  const LedgerRecord* from = view_.revisions.find(view_.incident.from);
  const std::vector<const WatchedRule*> all = view_.evidence.rules();
  return std::any_of(all.begin(), all.end(), [&](const WatchedRule* rule) {
    if (rule->spec().severity == Severity::p3 || !rule->is(Verdict::bad)) return false;
    if (std::find(covered.begin(), covered.end(), rule) != covered.end()) return false;
    if (from == nullptr) return true;
    const std::vector<RuleName>& before = from->preexisting;
    return std::find(before.begin(), before.end(), rule->name()) == before.end();
  });
}

bool Verification::is_good_for_long(const WatchedRule& rule) const {
  if (rule.is(Verdict::bad)) return false;
  const Duration good = rule.good_for(view_.now);
  return good >= hold_of(rule) && (good > Duration::zero() || rule.is(Verdict::good));
}

// Nobody has asked anything of it, perhaps because the plan lets nobody in before it is verified: the plan's own
// condition decides, after a whole window.
bool Verification::is_idle_for_long(const WatchedRule& rule) const {
  const bool has_own_proof = view_.plan != nullptr && view_.plan->verify.when && view_.incident.switched;
  if (!has_own_proof || !rule.is(Verdict::unknown) || !is_idle(rule.when().cause)) return false;
  const Duration window = window_of(rule.spec().when, view_.config.signals, &SignalSpec::window);
  return view_.evidence.worst_up() == Up::up && view_.now >= view_.incident.phase_since + window;
}

bool Verification::is_verified() const {
  // Seen once, it may be the next deployment: what is measured would be taken for the target's.
  if (!runs_target() || view_.revisions.is_unconfirmed()) return false;
  const std::vector<const WatchedRule*> covered = rules();
  if (!std::all_of(covered.begin(), covered.end(),
                   [&](const WatchedRule* one) { return is_good_for_long(*one) || is_idle_for_long(*one); })) {
    return false;
  }
  if (view_.plan == nullptr || !view_.plan->verify.when) {
    // Without rules it is enough that the target runs; rules that a reload took away were never seen good.
    return !covered.empty() || (view_.incident.rules.empty() && view_.service.has_identity);
  }
  Duration hold = verify_hold_default;
  for (const WatchedRule* rule : covered) hold = std::min(hold, recovery_hold(rule->spec()));
  hold = view_.plan->verify.hold.value_or(covered.empty() ? Duration::zero() : hold);
  return view_.verify_since && view_.now >= *view_.verify_since + hold;
}

bool Verification::has_helped() const { return is_verified() && !others_bad(); }

// Where nobody can read what runs, it rests on this alone (SPEC 2.18).
std::string Verification::rules_good() const {
  const bool alone = view_.incident.switched && !view_.service.has_identity;
  return std::string("every rule is good again") + (alone ? "; what runs cannot be read, the rules alone say so" : "");
}

std::string Verification::proof() const {
  const std::vector<const WatchedRule*> covered = rules();
  if (std::any_of(covered.begin(), covered.end(), [&](const WatchedRule* one) { return is_idle_for_long(*one); }))
    return "no request was counted that could decide; up and journeys are well, and " + view_.plan->verify.when->text();
  if (!covered.empty()) return rules_good();
  return view_.incident.to.text + " runs; no rule says how well";
}

Verified Verification::at_the_end() const {
  if (view_.revisions.is_unconfirmed()) {
    return {Outcome::unverifiable, "another revision was seen to run, and no second look said whether it does"};
  }
  bool thin = false;
  bool unknown = false;
  const std::vector<const WatchedRule*> covered = rules();
  for (const WatchedRule* rule : covered) {
    if (rule->is(Verdict::bad)) return {Outcome::not_recovered, "rule " + rule->name().text + " is still bad"};
    if (rule->is(Verdict::unknown)) {
      const Cause cause = rule->when().cause;
      (is_thin(cause) && (cause != Cause::no_data || view_.incident.switched) ? thin : unknown) = true;
    } else if (rule->good_for(view_.now) < hold_of(*rule)) {
      return {Outcome::not_recovered,
              "rule " + rule->name().text + " was good for only " + told(rule->good_for(view_.now))};
    }
  }
  if (others_bad()) return {Outcome::not_recovered, "another rule became bad"};
  if (view_.plan != nullptr && view_.plan->verify.when && !view_.verify_since) {
    const Judgement now = view_.evidence.judge(*view_.plan->verify.when);
    if (now.verdict == Verdict::good)
      return {Outcome::not_recovered, view_.plan->verify.when->text() + " is not true" + last_seen(now)};
    // What the plan asks for by itself and nobody can find is no proof.
    (is_thin(now.cause) && now.cause != Cause::no_data ? thin : unknown) = true;
  }
  const Up up = view_.evidence.worst_up();
  if ((thin || unknown) && up == Up::down) return {Outcome::not_recovered, "it is down"};
  if (unknown || (thin && up != Up::up) || covered.empty()) {
    return {Outcome::unverifiable, "nothing could be measured that decides"};
  }
  return {Outcome::recovered, thin ? "too little traffic to decide; up and journeys are well" : rules_good()};
}

Duration Verification::limit() const {
  if (view_.plan != nullptr && view_.plan->verify.timeout) return *view_.plan->verify.timeout;
  Duration sustain{};
  Duration window{};
  for (const WatchedRule* rule : rules()) {
    sustain = std::max(sustain, rule->spec().sustain);
    window = std::max(window, window_of(rule->spec().when, view_.config.signals, &SignalSpec::window_max));
  }
  const Duration hold = view_.plan == nullptr ? Duration::zero() : view_.plan->verify.hold.value_or(Duration::zero());
  return view_.service.start_deadline + window + 2 * std::max(sustain, hold);
}

Duration Verification::settle() const {
  const Duration least = settle_least();
  if (view_.plan != nullptr && view_.plan->settle) return std::max(*view_.plan->settle, least);
  Duration settle = settle_default;
  for (const JoinedRule& joined : view_.incident.rules) settle = std::min(settle, Duration(joined.for_ns));
  return std::max(settle, least);
}

// Whether a rung helped cannot be known before it was measured: a ladder whose rules have `for = "0s"` must not be
// climbed in one moment.
Duration Verification::settle_least() const { return settle_polls_min * view_.evidence.slowest_interval(); }

void Verification::add_deadlines(std::vector<Instant>& out) const {
  for (const JoinedRule& joined : view_.incident.rules) {
    const WatchedRule* rule = view_.evidence.find(joined.rule);
    if (rule == nullptr || !rule->is(Verdict::good)) continue;
    const Duration good = rule->good_for(view_.now);
    out.push_back(view_.now + (hold_of(*rule) - good));
    out.push_back(view_.now + (recovery_hold(rule->spec()) - good));
  }
  if (!view_.verify_since) return;
  for (const WatchedRule* rule : rules()) {
    out.push_back(*view_.verify_since + hold_of(*rule));
    out.push_back(view_.incident.phase_since + window_of(rule->spec().when, view_.config.signals, &SignalSpec::window));
  }
}

}  // namespace rules
