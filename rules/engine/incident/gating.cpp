#include <algorithm>
#include <vector>

#include "rules/engine/incident/incident.hpp"

// What the gate sees of this incident and of what is around it.

namespace rules {

namespace {

// Those that are still in the configuration.
std::vector<GateRule> gate_rules(const IncidentRecord& incident, const Surroundings& in, Instant now) {
  std::vector<GateRule> out;
  for (const JoinedRule& joined : incident.rules) {
    const WatchedRule* rule = in.evidence.find(joined.rule);
    if (rule == nullptr) continue;
    // What was bad before a wait may have been well for a part of the window by now.
    const Verdict seen = rule->is_newest_good() ? Verdict::good : rule->when().verdict;
    out.push_back(
        {&rule->spec(), rule->is_firing(), rule->has_cleared(now), in.revisions.is_preexisting(rule->name()), seen});
  }
  return out;
}

void view_deployment(GateView& view, const Surroundings& in) {
  view.stopped = in.revisions.stopped();
  view.deploying = in.evidence.is_deploying();
  view.absent_until = in.revisions.absent_until();
  if (in.revisions.deploying_since()) {
    view.deploying_ends = *in.revisions.deploying_since() + in.service.deploy_timeout;
  }
}

}  // namespace

GateView Incident::gate_view(const IncidentRecord& incident, const ActionSpec* action) const {
  GateView view{now(), incident, in_.service};
  view.rules = gate_rules(incident, in_, now());
  view.all_cleared = all_cleared();
  view.unseen = unseen();
  view.left = left();
  view.running = in_.revisions.running();
  view.moved_on = moved_on();
  view.armed = in_.revisions.is_armed();
  view.unreadable = in_.revisions.readability().why_not();
  view.unattributed = is_unattributed();
  view.from = in_.revisions.find(record_.from);
  view.action = action;
  view.rung_began = rung_began_.has_value();
  view.judged_again_by = judged_again_by_;
  const SwitchStep* step = view.action == nullptr ? nullptr : view.action->switch_step();
  if (step != nullptr) view.target = target(*step);
  if (view.action != nullptr) view.no_backup = why_no_backup(*view.action, in_.revisions, record_.from, record_.backup);
  if (view.target.revision) view.target_record = in_.revisions.find(*view.target.revision);
  view.first_schema = in_.revisions.is_first_with_schema(record_.from);
  view.blown = in_.limits.blown(view.from, view.action != nullptr && view.action->switches());
  view.acted_unidentified = in_.limits.has_acted_unidentified();
  view_deployment(view, in_);
  if (in_.limits.is_paused()) view.paused_until = in_.limits.paused_until();
  view.cooling_until = in_.limits.cooling_until();
  view_others(view);
  view.cap = in_.trouble.cap();
  view.cap_once_well = in_.trouble.cap_once_well();
  view.own_trouble = in_.trouble.asks_because();
  if (in_.host.owner() != record_.id) view.lock_owner = in_.host.owner();
  view.lock_holder = lock_.holder();
  view.lock_retry_at = lock_.retry_at();
  view.lock_patience_ends = lock_.patience_ends(in_.service.deploy_timeout);
  view.lock_given_up = lock_.is_given_up(in_.service.deploy_timeout);
  return view;
}

void Incident::view_others(GateView& view) const {
  view.neighbour = in_.neighbours.in_trouble_with(record_.service);
  const Neighbours::Soon soon = in_.neighbours.soon_in_trouble_with(record_.service);
  view.soon_neighbour = soon.service;
  if (!soon.service.empty()) view.soon_neighbour_fires = soon.at;
  view.dependency = in_.dependence.trouble();
  view.dependency_recurs = in_.dependence.recurs();
  view.dependency_measured_by = dependency_measured_by();
  view.fires_anew = fires_anew_;
}

// A rule with a short `for` may fire before anybody could see that what it depends on is bad as well.
std::optional<Instant> Incident::dependency_measured_by() const {
  const Duration lag = in_.dependence.lag();
  if (lag == Duration::zero()) return std::nullopt;
  std::optional<Instant> first;
  for (const JoinedRule& joined : record_.rules) {
    const WatchedRule* rule = in_.evidence.find(joined.rule);
    if (rule == nullptr || !rule->is_firing()) continue;
    const Instant bad_since = rule->progress(now()).bad_since.value_or(joined.joined);
    first = std::min(first.value_or(bad_since), bad_since);
  }
  return first ? std::optional(*first + lag) : std::nullopt;
}

std::optional<Gate> Incident::ending() const {
  if (!moved_on() && (record_.past_no_return || !all_cleared())) return std::nullopt;
  return gate_end(gate_view());
}

bool Incident::all_cleared() const {
  if (record_.by_hand) return false;
  return std::all_of(record_.rules.begin(), record_.rules.end(), [&](const JoinedRule& joined) {
    const WatchedRule* rule = in_.evidence.find(joined.rule);
    return rule == nullptr || rule->has_cleared(now());
  });
}

bool Incident::moved_on() const {
  const Revision& running = in_.revisions.running();
  if (running.empty()) return false;
  // Only a mark says that another one runs.
  if (!in_.service.has_identity) return in_.revisions.running_since() > record_.opened;
  if (record_.from.empty()) return false;
  if (running == record_.from) return in_.revisions.running_since() > record_.opened;
  return !record_.switched || running != record_.to;
}

// An `identify` that asks the application itself fails with it: that is no reason not to act. But what went bad long
// after the last look may be another revision's. While it was given time to start nothing could go bad.
bool Incident::is_unattributed() const {
  if (!in_.service.has_identity || record_.by_hand) return false;
  // What was only said to run is that as long as it is down: one that is up could say so itself.
  if (in_.revisions.is_presumed(record_.from) && !in_.evidence.is_health_down()) return true;
  if (in_.revisions.readability().why_not().empty()) return false;
  if (in_.revisions.are_several()) return true;
  const LedgerRecord* from = in_.revisions.find(record_.from);
  if (from == nullptr) return false;
  const Instant latest = std::max(from->last_seen, from->appeared + in_.service.start_deadline) + identity_wait_max;
  return std::none_of(record_.rules.begin(), record_.rules.end(),
                      [&](const JoinedRule& joined) { return joined.joined - Duration(joined.for_ns) <= latest; });
}

// Time answers nothing that the mode in force leaves to a person, nor for whoever stopped the service.
AskThen Incident::ask_then() const {
  const bool decides = in_.trouble.cap() >= Mode::act && in_.revisions.stopped().empty();
  return decides ? in_.service.ask_then : AskThen::close;
}

}  // namespace rules
