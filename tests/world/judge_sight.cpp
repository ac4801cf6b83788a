#include <algorithm>
#include <utility>

#include "judge.hpp"

// What must be so when a rule fires, joins an incident or cannot be measured, and of what is said to run.

namespace sim {

using namespace rules;

namespace {

constexpr Duration blindness_told_within = 1min;

}  // namespace

// Two looks have to agree before another one is taken to run.
void Judge::service_saved(const ServiceRecord& record) {
  Service& known = service(record.service);
  known.rolled_back = record.rolled_back_here;
  // What is saved for the first time is no other revision.
  const Instant before = std::exchange(known.running_since, record.running_since);
  if (before != Instant::min() && before != record.running_since) starts_anew(known);
  known.pause_saved_until = record.paused_until.value_or(Instant::min());
  if (record.deploying_since && known.deploying) known.deploying_for_sure = true;
  if (known.deploying_saved != Instant::min() && !record.deploying_since) known.disturbed = now();
  known.deploying_saved = record.deploying_since.value_or(Instant::min());
  if (known.said && known.said->policy && known.said->revision) {
    if (known.looked == known.said->revision->text) known.policy[known.looked] = *known.said->policy;
    known.next = known.said;
  }
  known.said.reset();
  const std::string& runs = record.running.text;
  if (runs.empty() || !known.open.empty() || !known.identity || known.agreed.contains(runs)) return;
  breach("revision " + runs + " is said to run, which no two looks have seen");
}

// It ran for long enough, and no rule fired meanwhile.
void Judge::check_proved(const Watcher& watcher, const LedgerRecord& record) {
  Service& known = service(record.service);
  // What another one failed for want of a target has one now.
  if (record.revision.text != known.looked && !known.rolled_back) known.overtaken[Outcome::no_target] = now();
  const bool is_said = known.good.contains(record.revision.text) || record.adopted || !known.identity;
  if (is_said || watcher.disk() != Disk::well) return;
  constexpr Duration bake = 55min;
  if (known.ran[record.revision.text] < bake)
    breach("revision " + record.revision.text + " is good that nothing proved");
  for (const auto& [rule_name, fired] : known.fired_on[record.revision.text]) {
    const RuleSpec* one = rule(watcher, rule_name);
    if (one == nullptr || one->severity == Severity::p3 || fired + bake < now()) continue;
    breach("revision " + record.revision.text + " is good though rule " + rule_name.text + " has just fired");
  }
}

// While people deploy, and while it is given time to start, nothing is held against it.
void Judge::check_excused(const Watcher& watcher, const RuleSpec& rule) {
  const Service& known = service(rule.service);
  const ServiceSpec& of = *spec(watcher, rule.service);
  const bool deploys = known.deploying && known.deploying_for_sure && now() < known.deploying_since + of.deploy_timeout;
  if (deploys) breach("rule " + rule.name.text + " fires while a deployment is under way");
  if (known.other_seen_at == Instant::min() || known.settled != known.looked) return;
  // While our own command changes what runs, looks say nothing of that to the core either. What fires then joins what
  // is being done, and what somebody else deployed meanwhile is judged on its own, from its beginning, when that has
  // ended.
  const bool is_changing = std::any_of(host_.at_work.begin(), host_.at_work.end(),
                                       [&](const AtWork& one) { return one.service == rule.service; });
  if (is_changing) return;
  const auto up = up_at_.find(of.health.value_or(ProbeName(probe_of(rule))));
  const bool came_up = up != up_at_.end() && up->second > known.other_seen_at;
  if (!came_up && now() < known.other_seen_at + of.start_deadline) {
    breach("rule " + rule.name.text + " fires while " + known.looked + " is given time to start");
  }
}

void Judge::check_opened(const Watcher& watcher, const IncidentRecord& record) {
  const Service& known = service(record.service);
  if (record.by_hand || record.rules.empty() || watcher.disk() != Disk::well) return;
  const Instant paused_until = std::min(known.paused_until, known.pause_saved_until);
  if (record.opened > known.paused_since + 1s && record.opened + 1s < paused_until) {
    breach("an incident is opened while the service is paused");
  }
  // What did not help what runs is not tried again.
  const auto tried = known.tried.find(record.rules.front().rule);
  if (tried == known.tried.end() || record.ladder.size() < 2) return;
  if (record.rung < std::min(tried->second + 1, record.ladder.size() - 1)) {
    breach("action " + record.ladder[record.rung].text + " did not help and is tried again");
  }
}

void Judge::check_joined(const Watcher& watcher, const JoinedRule& joined) {
  const RuleSpec* joins = rule(watcher, joined.rule);
  if (joins == nullptr) return;
  Service& known = service(joins->service);
  known.harm = {joined.joined, joins->sustain};
  const bool is_news = joined.joined + 1s > now();  // what a disk kept back comes late
  if (is_news) check_held(watcher, joined);
  if (!joins->unless || !is_news || now() < known.disturbed + 1min) return;
  // In these worlds it is always: unless another service is down.
  const std::string text = joins->unless->text();
  const RuleName other(text.substr(0, text.find('_')) + "-down");
  const std::optional<Instant> down_since = measured(watcher).at(other).surely_bad_since();
  const bool withholds = down_since && now() > *down_since + 45s;
  if (withholds && now() < known.withheld[joined.rule] + joins->unless_max - 1min) {
    breach("rule " + joined.rule.text + " is answered while " + other.text + " explains it");
  }
}

// Two that fail at once may have a reason that is none of theirs.
void Judge::check_neighbours(const Watcher& watcher, const IncidentRecord& record) {
  const Service& known = service(record.service);
  if (!known.harm || watcher.disk() != Disk::well) return;
  const auto depends = [](const ServiceSpec& one, const ServiceName& on) {
    return std::find(one.depends_on.begin(), one.depends_on.end(), on) != one.depends_on.end();
  };
  const ServiceSpec& self = *spec(watcher, record.service);
  for (const ServiceSpec& other : watcher.config().services) {
    const Service& its = service(other.name);
    if (other.name == self.name || !its.harm || depends(self, other.name) || depends(other, self.name)) continue;
    const Duration apart = std::chrono::abs(its.harm->first - known.harm->first);
    // A start knows of others only what open incidents say.
    const bool is_known = known.watched_since < std::min(its.harm->first, known.harm->first);
    if (is_known && apart + 1s < std::max(its.harm->second, known.harm->second)) {
      breach("acts by itself while service " + other.name.text + " fails as well");
    }
  }
}

// Every rule of it, beyond doubt and all the time since another revision ran that had proved itself.
bool Judge::was_bad_before(const Watcher& watcher, const IncidentRecord& record) const {
  const Service& known = services_.at(record.service.text);
  const ServiceSpec& of = *spec(watcher, record.service);
  const auto& all = measured_.at(watcher.number());
  return std::all_of(record.rules.begin(), record.rules.end(), [&](const JoinedRule& joined) {
    const auto found = all.find(joined.rule);
    if (found == all.end()) return false;
    const std::optional<Instant> bad_since = found->second.surely_bad_since();
    return bad_since && known.watched_since < *bad_since && *bad_since + of.start_deadline + 45s < known.good_seen_at;
  });
}

void Judge::check_ending(const Incident& incident) {
  const IncidentRecord& record = incident.record;
  Service& known = service(record.service);
  if (incident.aborted && record.outcome != Outcome::aborted) breach("incident " + record.id.text + " was not aborted");
  if (record.outcome == Outcome::no_target && !record.by_hand && known.identity && !known.rolled_back) {
    for (const auto& [revision, standing] : known.standing) {
      const bool is_other = revision != record.from.text && revision != known.looked;
      if (standing == Standing::good && is_other) breach("no target is known, and " + revision + " was verified");
    }
  }
  if (!known.identity && record.switched) known.tried.clear();  // something else runs since, whatever it is
  if (incident.mutated.empty() || record.switched || record.by_hand || record.rung >= record.ladder.size()) return;
  if (known.identity && known.looked != record.from.text) return;  // another one runs by now
  for (const JoinedRule& joined : record.rules) known.tried[joined.rule] = record.rung;
}

void Judge::sight_told(const Watcher& watcher, const Tell& tell) {
  if (tell.stage != Stage::blind && tell.stage != Stage::seeing) return;
  for (const RuleSpec& one : watcher.config().rules) {
    if (one.service != tell.context.service) continue;
    if (tell.stage == Stage::seeing) told_blind_.erase({watcher.number(), one.name});
    if (tell.stage == Stage::blind && tell.title.find(one.name.text) != std::string::npos) {
      told_blind_.insert({watcher.number(), one.name});
    }
  }
  // What was owed over a disk's trouble comes late.
  if (tell.stage != Stage::seeing || tell.at + 1s < now()) return;
  for (const RuleView& one : watcher.view().rules) {
    if (one.service == tell.context.service && one.progress.blind) {
      breach("rule " + one.rule.text + " is said to be observed again and is blind");
    }
  }
}

// What cannot be measured for long is told of.
void Judge::check_sight(const Watcher& watcher, const RuleView& one) {
  const Service& known = service(one.service);
  const RuleSpec* of = rule(watcher, one.rule);
  const ServiceSpec& of_service = *spec(watcher, one.service);
  if (of == nullptr || watcher.disk() != Disk::well || known.deploying) return;
  const Instant unseen_since = measured(watcher).at(one.rule).known_at();
  const Instant since = std::max(unseen_since, known.disturbed + of_service.start_deadline);
  if (now() < since + blind_after(*of) + blindness_told_within || now() < known.paused_until) return;
  if (told_blind_.contains({watcher.number(), one.rule})) return;
  breach("rule " + one.rule.text + " cannot be measured and nobody was told");
}

}  // namespace sim
