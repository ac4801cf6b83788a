#include "judge.hpp"

#include <algorithm>
#include <utility>

#include "rules/base/parse.hpp"

// What the judge knows: what watchers see and what they saved.

namespace sim {

using namespace rules;

namespace {

constexpr std::size_t remembered = 60;

template <class Items, class Name>
auto named(const Items& items, const Name& name) -> decltype(&items.front()) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const auto& one) { return one.name == name; });
  return found == items.end() ? nullptr : &*found;
}

std::string field(const Note& note, const std::string& name) {
  for (const auto& [key, value] : note.fields) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

void Judge::breach(const std::string& what) {
  remember("BREACH " + what);
  breaches_.push_back(what);
}

void Judge::remember(const std::string& line) {
  memory_.push_back(to_string(std::chrono::round<std::chrono::milliseconds>(now().time_since_epoch() % 24h)) + " " +
                    line);
  if (memory_.size() > remembered) memory_.pop_front();
}

std::map<RuleName, Measured>& Judge::measured(const Watcher& watcher) {
  auto& all = measured_[watcher.number()];
  for (const RuleSpec& spec : watcher.config().rules) {
    if (all.contains(spec.name)) continue;
    const ProbeShape* probe = named(watcher.config().probes, ProbeName(probe_of(spec)));
    all.emplace(spec.name, Measured(spec, probe->interval, probe->max_gap));
  }
  return all;
}

const RuleSpec* Judge::rule(const Watcher& watcher, const RuleName& name) const {
  return named(watcher.config().rules, name);
}
const ServiceSpec* Judge::spec(const Watcher& watcher, const ServiceName& name) const {
  return named(watcher.config().services, name);
}
const ActionSpec* Judge::plan(const Watcher& watcher, const IncidentRecord& record, std::size_t rung) const {
  return rung < record.ladder.size() ? named(watcher.config().actions, record.ladder[rung]) : nullptr;
}

void Judge::polled(const Watcher& watcher, const Poll& poll) {
  for (const Reading& reading : poll.readings) {
    if (reading.series->name != "process_start_time_seconds") continue;
    double& start = process_start_[poll.probe];
    if (std::exchange(start, reading.value) == reading.value) continue;
    const ServiceName name(poll.probe.text.substr(0, poll.probe.text.find('_')));
    service(name).disturbed = now();
    for (const RuleSpec& one : watcher.config().rules) {
      const Duration warms = spec(watcher, name)->start_deadline;
      if (one.service == name) measured(watcher).at(one.name).may_warm_up_until(now() + warms);
    }
  }
  if (poll.up == Up::up) up_at_[poll.probe] = now();
  poll.up == Up::up ? void(up_since_.try_emplace(poll.probe, now())) : void(up_since_.erase(poll.probe));
  const std::string of = poll.probe.text.substr(0, poll.probe.text.find('_'));
  const bool is_its_own = !poll.fault || poll.fault->kind == FaultKind::server_error;
  if (!is_its_own && !host_.applications.at(of)->is_down(now())) service(ServiceName(of)).misled = now();
  auto& all = measured(watcher);
  for (const RuleSpec& spec : watcher.config().rules) {
    if (probe_of(spec) != poll.probe.text) continue;
    all.at(spec.name).add(poll);
    note_bad(watcher, spec);
  }
}

void Judge::looked(const Watcher& watcher, const RevisionRead& read) {
  Service& known = service(read.service);
  const Duration since = known.looked_at == Instant::min() ? Duration::zero() : now() - known.looked_at;
  const bool was_readable = std::exchange(known.readable, read.revision.has_value());
  known.divided = !read.instances_differ ? 0 : known.divided + 1;
  if (!read.revision) return;
  if (!was_readable) known.disturbed = now();  // what ran meanwhile is not known
  const std::string& runs = read.revision->text;
  if (!read.schema.empty()) known.schema[runs] = read.schema;
  if (known.first.empty()) known.first = runs;
  if (known.looked == runs || known.first == runs) known.agreed.insert(runs);
  if (known.settled != runs && known.looked == runs) {
    known.other_seen_at = known.settled_at;
    const auto standing = known.standing.find(known.settled);
    if (standing != known.standing.end() && standing->second == Standing::good) known.good_seen_at = known.settled_at;
    known.settled = runs;
  }
  if (known.settled == runs) known.last_seen[runs] = known.settled_at = now();  // one look may be mistaken
  if (known.looked == runs) {
    known.ran[runs] += std::min<Duration>(since, 1min);
  } else {
    known.disturbed = now();
    known.tried.clear();
    if (known.brought != runs) {
      known.brought.clear();
      known.policy[runs] = RollbackPolicy::automatic;
    }
    if (known.next && known.next->revision == Revision(runs)) {
      known.policy[runs] = known.next->policy.value_or(RollbackPolicy::automatic);
      known.next.reset();
    }
    remember(std::to_string(watcher.number()) + " sees " + runs + " run for " + read.service.text);
  }
  known.looked = runs;
  known.looked_at = now();
}

// It speaks of what runs when it is said. What has been seen to run before that is left open.
void Judge::said_of_nobody(Service& known, const DeployMark& mark) {
  known.may_be_forbidden = true;
  const std::string& runs = host_.applications.at(mark.service.text)->running();
  if (runs == known.looked || runs == known.settled) return;
  known.said->revision = Revision(runs);
  reach("something said of a revision that it does not name");
}

void Judge::marked(const Watcher&, const DeployMark& mark) {
  Service& known = service(mark.service);
  known.disturbed = now();
  if (mark.kind == MarkKind::end) known.deploying = false;
  if (mark.kind != MarkKind::mark) known.deploying_for_sure = false;
  if (mark.policy == RollbackPolicy::forbidden && mark.revision) known.forbidden.insert(mark.revision->text);
  // Of what nobody can read a mark says that it is another one.
  if (!known.identity && mark.kind != MarkKind::begin) known.tried.clear();
  known.said = mark;
  if (mark.policy && !mark.revision && mark.kind != MarkKind::begin) said_of_nobody(known, mark);
  known.next.reset();
  if (mark.kind == MarkKind::begin) {
    known.deploying = true;
    known.deploying_since = mark.at;
  }
  known.acted_unnamed = 0;
}

void Judge::degraded(const Watcher& watcher, const SelfDegraded& degraded) {
  if (degraded.observe_only) {
    unaccepted_.insert(watcher.number());
  } else {
    degraded_[watcher.number()] = !degraded.reason.empty();
    for (auto& [id, incident] : incidents_) {
      if (incident.watcher == watcher.number() && !incident.closed) incident.in_trouble = true;
    }
  }
  remember(std::to_string(watcher.number()) + " degraded: " + degraded.reason);
  reach("in trouble itself");
}

void Judge::started(const Watcher& watcher) {
  std::erase_if(told_blind_, [&](const auto& one) { return one.first == watcher.number(); });
  degraded_[watcher.number()] = false;
  began_at_[watcher.number()] = now();
  unaccepted_.erase(watcher.number());
  for (const RuleSpec& one : watcher.config().rules) unanswered_since_.erase(one.name);
  // Who was killed while it took an abort has given no answer.
  for (auto& [id, incident] : incidents_) {
    if (!incident.aborted || incident.closed || incident.watcher != watcher.number()) continue;
    const std::optional<IncidentRecord> record = watcher.journal().incident(id);
    incident.aborted = record && record->pending_outcome.has_value();
  }
}

void Judge::disturbed(const Watcher& watcher) {
  for (const ServiceSpec& one : watcher.config().services) {
    Service& known = service(one.name);
    known.disturbed = known.watched_since = now();
    known.identity = one.has_identity;
    for (const RuleSpec& spec_of_rule : watcher.config().rules) {
      if (spec_of_rule.service != one.name) continue;
      measured(watcher).at(spec_of_rule.name).may_warm_up_until(now() + one.start_deadline);
    }
  }
  remember(std::to_string(watcher.number()) + " starts, reloads or stood still");
}

void Judge::saved(const Watcher& watcher, const Record& record) {
  if (const auto* incident = std::get_if<IncidentRecord>(&record)) incident_saved(watcher, *incident);
  if (const auto* revision = std::get_if<LedgerRecord>(&record)) revision_saved(watcher, *revision);
  if (const auto* one = std::get_if<ServiceRecord>(&record)) service_saved(*one);
  if (const auto* fuse = std::get_if<FuseRecord>(&record)) fuse_saved(*fuse);
}

// What did harm once may be deployed again and prove itself then.
void Judge::revision_saved(const Watcher& watcher, const LedgerRecord& record) {
  Service& known = service(record.service);
  Standing& standing = known.standing.try_emplace(record.revision.text, Standing::candidate).first->second;
  const bool becomes_good = std::exchange(standing, record.standing) != Standing::good && standing == Standing::good;
  if (becomes_good) check_proved(watcher, record);
  if (record.standing != Standing::good || !known.bad.contains(record.revision.text)) return;
  // A full disk has it written late: it was made before people condemned it.
  const auto condemned = known.condemned.find(record.revision.text);
  if (condemned != known.condemned.end() && record.last_seen < condemned->second) return;
  if (known.ran[record.revision.text] < 55min) return breach("a quarantined revision is good that nothing proved");
  for (const RuleSpec& one : watcher.config().rules) {
    const bool counts = one.service == record.service && one.severity != Severity::p3;
    if (counts && measured(watcher).at(one.name).surely_bad_since()) {
      breach("a quarantined revision is good while rule " + one.name.text + " is bad");
    }
  }
  known.bad.erase(record.revision.text);
}

void Judge::did(const Watcher& watcher, const Command& command) {
  const auto* note = std::get_if<Note>(&command);
  if (note == nullptr) return;
  std::string line = std::to_string(watcher.number()) + " " + note->event;
  for (const auto& [key, value] : note->fields) line += " " + key + "=" + value;
  remember(line);
  if (note->event == "firing") fired(watcher, *note);
  if (note->event == "rule_recovered")
    service(ServiceName(field(*note, "service"))).withheld.erase(RuleName(field(*note, "rule")));
  if (note->event == "counts_anew") counts_anew(watcher, ServiceName(field(*note, "service")));
}

void Judge::fired(const Watcher& watcher, const Note& note) {
  reach("firing");
  const RuleName name(field(note, "rule"));
  const Measured& evidence = measured(watcher).at(name);
  check_excused(watcher, *rule(watcher, name));
  Service& known = service(rule(watcher, name)->service);
  known.withheld.try_emplace(name, now());
  known.fired[name] = known.fired_on[known.looked][name] = known.fired_for[name] = now();
  // After a start it fires once more for what its incident is about.
  const bool is_resumed =
      !known.open.empty() && incidents_[IncidentId(known.open)].record.opened < began_at_[watcher.number()];
  if (is_resumed && evidence.surely_bad_since()) known.fired_for[name] = *evidence.surely_bad_since();
  if (evidence.could_fire(now())) return;
  remember(evidence.story(now()));
  breach("rule " + name.text + " fires without quorum x for of measured bad time");
}

void Judge::ended(const Watcher& watcher, const StepId& step) {
  const auto found = incidents_.find(step.incident);
  if (found == incidents_.end()) return;
  service(found->second.record.service).disturbed = now();
  service(found->second.record.service).switching_since = Instant::min();
  // What never reached a step that changes something has no cooldown (SPEC 2.25).
  const bool counts = mutating_.contains({watcher.number(), step}) && !found->second.mutated.empty();
  if (counts) service(found->second.record.service).mutation_ended = now();
}

}  // namespace sim
