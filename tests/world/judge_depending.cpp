#include <algorithm>
#include <string>

#include "judge.hpp"

// What did no harm is not acted against, least of all for the trouble of what it needs; and what is bad by itself does
// not wait for that for ever.

namespace sim {

using namespace rules;

namespace {

// The longest span, the longest window, and what is waited for in between.
constexpr Duration remembered = 25min;
// Of a rule that was bad: its longest recovery and a window.
constexpr Duration recovers_within = 7min;
constexpr Duration late_at_most = 3min;
// What was measured of it meanwhile may be found bad only when it is well again: the longest window and gap.
constexpr Duration found_within = 6min;

bool is_over(Instant at, Duration since, Instant now) { return at == Instant::min() || at + since < now; }

}  // namespace

std::vector<const ServiceSpec*> Judge::needed(const Watcher& watcher, const ServiceName& by) const {
  std::vector<const ServiceSpec*> out;
  for (const ServiceName& name : spec(watcher, by)->depends_on) out.push_back(spec(watcher, name));
  return out;
}

// As far as can be known: it is not surely well, or was not `lately`.
bool Judge::may_explain(const Watcher& watcher, const ServiceSpec& needed, Duration lately) const {
  const Service& known = services_.at(needed.name.text);
  const bool is_busy = known.deploying || known.deploying_saved != Instant::min() || !known.open.empty();
  if (is_busy || !is_over(known.disturbed, needed.start_deadline + recovers_within + lately, now())) return true;
  const auto& all = measured_.at(watcher.number());
  return std::any_of(watcher.config().rules.begin(), watcher.config().rules.end(), [&](const RuleSpec& one) {
    if (one.service != needed.name || one.severity == Severity::p3) return false;
    const std::optional<Instant> good_since = all.at(one.name).surely_good_since();
    return !good_since || now() < *good_since + recovers_within + lately;
  });
}

// Nothing stands between its trouble and a rule that counts.
bool Judge::is_sure_to_be_seen(const Watcher& watcher, const ServiceSpec& needed) const {
  const Service& known = services_.at(needed.name.text);
  if (!is_over(known.misled, remembered, now())) return false;
  return std::none_of(watcher.config().rules.begin(), watcher.config().rules.end(), [&](const RuleSpec& one) {
    const bool compares = one.when.text().find("baseline") != std::string::npos;
    return one.service == needed.name && (one.severity == Severity::p3 || compares);
  });
}

void Judge::note_bad(const Watcher& watcher, const RuleSpec& rule) {
  Service& known = service(rule.service);
  const bool is_judged = is_over(known.disturbed, spec(watcher, rule.service)->start_deadline, now());
  if (!is_judged || rule.severity == Severity::p3 || degraded_[watcher.number()]) return;
  if (measured(watcher).at(rule.name).surely_bad_since()) known.bad_at = now();
}

// What fired before what it needs was well is no reason to act.
void Judge::check_explained(const Watcher& watcher, const IncidentRecord& record) {
  Service& known = service(record.service);
  for (const ServiceSpec* one : needed(watcher, record.service)) {
    const Instant bad_at = service(one->name).bad_at;
    const bool any_since = std::any_of(record.rules.begin(), record.rules.end(),
                                       [&](const JoinedRule& joined) { return known.fired[joined.rule] > bad_at; });
    if (!any_since) breach("acts on what fired while " + one->name.text + ", which it needs, was in trouble");
  }
}

void Judge::check_harm(const Watcher& watcher, const IncidentRecord& record) {
  const Application& app = *host_.applications.at(record.service.text);
  const Service& known = service(record.service);
  if (!is_over(std::max(app.harmful_at(), known.misled), remembered, now())) return;
  for (const ServiceSpec* one : needed(watcher, record.service)) {
    if (!is_sure_to_be_seen(watcher, *one)) return;
  }
  breach("acts against " + record.from.text + " of " + record.service.text + ", which has done no harm");
}

// What was measured until now is left out: for a reason.
void Judge::counts_anew(const Watcher& watcher, const ServiceName& name) {
  reach("evidence that another's trouble explains");
  // While it was acted on itself nothing was left out; what was explained meanwhile is left out when that is over.
  const bool ends_its_own = std::any_of(incidents_.begin(), incidents_.end(), [&](const auto& one) {
    return one.second.record.service == name && one.second.closed.value_or(now()) == now();
  });
  service(name).disturbed = now();
  service(name).withheld.clear();
  if (ends_its_own) return;
  const std::vector<const ServiceSpec*> all = needed(watcher, name);
  const bool is_explained = std::any_of(
      all.begin(), all.end(), [&](const ServiceSpec* one) { return may_explain(watcher, *one, found_within); });
  if (!is_explained) breach("what was measured of " + name.text + " is left out though all that it needs is well");
}

void Judge::check_waits_for(const Watcher& watcher, const IncidentRecord& open) {
  if (open.phase != IncidentPhase::held || open.waiting_for.find("on which it depends") == std::string::npos) return;
  reach("waits for what it depends on");
  const std::vector<const ServiceSpec*> all = needed(watcher, open.service);
  const bool is_explained =
      std::any_of(all.begin(), all.end(), [&](const ServiceSpec* one) { return may_explain(watcher, *one); });
  if (!is_explained) breach("incident " + open.id.text + " waits for what is well");
  Duration most{};
  for (const RuleSpec& one : watcher.config().rules) most = std::max(most, one.unless_max);
  const Instant since = std::max(open.opened, open.phase_since);
  const bool has_no_limit = open.waiting_for.find("is in trouble") != std::string::npos;
  if (has_no_limit && now() > since + most + late_at_most) {
    breach("incident " + open.id.text + " waits for another's trouble for longer than it may");
  }
}

}  // namespace sim
