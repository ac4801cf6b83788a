#include <algorithm>

#include "judge.hpp"

// What people say, and are told, holds: an abort, and that nothing more is done, until its rule was good, another
// revision runs or all limits start anew; and after a restart an approval is for what is seen then.

namespace sim {

using namespace rules;

namespace {

// Polls, and what reading them takes.
constexpr Duration reaction = 1min;

// A person aborted it, or what was done did not help: people were told that nothing more is done by itself.
bool leaves_alone(const IncidentRecord& record, bool aborted) {
  if (record.outcome == Outcome::aborted) return aborted;
  return record.past_no_return && record.outcome == Outcome::not_recovered;
}

// What ended otherwise and says so is an answer as long.
bool says_that_it_leaves_alone(const IncidentRecord& record, const std::string& end) {
  return record.past_no_return && end.find("nothing more is done by itself until its rules were good") != end.npos;
}

}  // namespace

void Judge::hold(const Watcher& watcher, const Incident& incident) {
  const IncidentRecord& record = incident.record;
  if (!leaves_alone(record, incident.aborted) || !incident.decided) return;
  if (incident.in_trouble || watcher.disk() != Disk::well) return;
  Service& known = service(record.service);
  const auto overtaken = known.overtaken.find(*record.outcome);
  if (overtaken != known.overtaken.end() && *incident.decided < overtaken->second) return;
  for (const JoinedRule& joined : record.rules) {
    // What fires while the last steps are done is judged on its own.
    const auto fired = known.fired.find(joined.rule);
    if (fired != known.fired.end() && fired->second > *incident.decided) continue;
    known.held[joined.rule] = *incident.decided;
    reach(record.outcome == Outcome::aborted ? "an abort that holds" : "what did not help is left alone");
  }
}

void Judge::starts_anew(Service& known) {
  known.held.clear();
  known.overtaken[Outcome::aborted] = now();
  known.overtaken[Outcome::not_recovered] = now();
}

void Judge::check_held(const Watcher& watcher, const JoinedRule& joined) {
  const RuleSpec* joins = rule(watcher, joined.rule);
  Service& known = service(joins->service);
  const auto held = known.held.find(joined.rule);
  if (held == known.held.end()) return;
  const bool could_clear = measured(watcher).at(joined.rule).could_clear_at() > held->second;
  known.held.erase(held);
  if (!could_clear && watcher.disk() == Disk::well)
    breach("rule " + joined.rule.text + " was not good since it was to be left alone, and is acted on");
}

// An incident that leaves a rule alone answers also what fires anew for the same trouble.
bool Judge::is_held(const Incident& incident, const RuleName& name) const {
  const bool is_left_alone =
      leaves_alone(incident.record, incident.aborted) || says_that_it_leaves_alone(incident.record, incident.end);
  if (!is_left_alone || !incident.decided) return false;
  const Service& known = services_.at(incident.record.service.text);
  const auto anew = known.overtaken.find(Outcome::aborted);
  if (anew != known.overtaken.end() && *incident.decided < anew->second) return false;
  const auto cleared = known.cleared.find(name);
  return cleared == known.cleared.end() || cleared->second <= *incident.decided;
}

bool Judge::is_surely_cleared(const Watcher& watcher, const RuleName& name) {
  const RuleSpec* of = rule(watcher, name);
  if (of == nullptr) return false;
  Service& known = service(of->service);
  const ServiceSpec* of_service = spec(watcher, of->service);
  const std::optional<Instant> good_since = measured(watcher).at(name).surely_good_since();
  if (of_service == nullptr || !good_since || known.deploying || degraded_[watcher.number()]) return false;
  const Instant judged = std::max(*good_since, known.disturbed + of_service->start_deadline);
  return now() > judged + recovery_hold(*of) + reaction;
}

void Judge::note_cleared(const Watcher& watcher, const RuleView& one) {
  if (is_surely_cleared(watcher, one.rule)) service(one.service).cleared[one.rule] = now();
}

// Its plan's question was answered, by a person or by time: that is checked again before anything is switched.
void Judge::note_answer(const Watcher& watcher, Incident& incident, const IncidentRecord& record) {
  const IncidentRecord& was = incident.record;
  const bool asked = was.phase == IncidentPhase::asking && was.in_flight && was.section == PlanSection::steps;
  if (!asked || record.phase != IncidentPhase::acting || record.by_hand) return;
  reach("a plan's question that is answered");
  incident.good_when_answered = std::all_of(record.rules.begin(), record.rules.end(), [&](const JoinedRule& joined) {
    return is_surely_cleared(watcher, joined.rule);
  });
}

// Past the point of no return the next rung is begun for what is seen since the start. Who was asked because nothing
// can be measured has answered that.
void Judge::check_judged_again(const Watcher& watcher, const Incident& incident) {
  const Instant began = began_at_[watcher.number()];
  if (now() > began + spec(watcher, incident.record.service)->start_deadline) return;
  if (incident.texts.find("cannot be told") != std::string::npos) return;
  if (incident.record.opened > began) return;
  const std::vector<JoinedRule>& rules = incident.record.rules;
  reach("a later rung soon after a start");
  const bool is_seen = std::any_of(rules.begin(), rules.end(), [&](const JoinedRule& joined) {
    const auto found = measured(watcher).find(joined.rule);
    return found == measured(watcher).end() || found->second.known_at() >= began;
  });
  if (!is_seen) breach("another action is begun after a restart, and nothing was measured since");
}

}  // namespace sim
