#include <algorithm>

#include "judge.hpp"

// What must be so when something is done.

namespace sim {

using namespace rules;

namespace {

constexpr Duration day = 24h;
constexpr Duration an_hour = 1h;

template <class Times>
long within(const Times& times, Instant now, Duration d) {
  return std::count_if(times.begin(), times.end(), [&](Instant at) { return at + d > now; });
}

bool is_switch(const Perform& command) { return std::holds_alternative<SwitchStep>(command.step.what); }

}  // namespace

void Judge::performs(const Watcher& watcher, const Perform& command) {
  const std::string what = describe(command.step);
  remember(std::to_string(watcher.number()) + " performs " + what + " for " + command.id.incident.text + " from " +
           command.context.from.text + " to " + command.context.to.text);
  reach("performed " + std::string(kind_of(command.step)));
  if (!performed_.contains({watcher.number(), command.id})) {
    decisions_ += command.context.service.text + ": " + what + " " + command.context.from.text + " -> " +
                  command.context.to.text + "\n";
  }
  check_intent(watcher, command);
  check_repetition(watcher, command);
  Incident& incident = incidents_[command.id.incident];
  check_step(watcher, command, incident);
  if (command.id.section == PlanSection::always) ++incident.always[command.id.rung];
  if (command.id.section == PlanSection::on_failure) ++incident.on_failure;
  if (!command.mutating) return;
  mutating_.insert({watcher.number(), command.id});
  check_alone(watcher, command);
  if (command.id.section != PlanSection::steps) return;
  const bool again = !performed_.insert({watcher.number(), command.id}).second;
  if (incident.mutated.insert(command.id.rung).second) {
    check_gate(watcher, command, incident);
    if (!again) service(command.context.service).mutations.push_back(counted_at(incident));
  }
  if (!is_switch(command)) return;
  incident.switched = true;
  check_switch(watcher, command, incident);
  check_target(watcher, command, incident);
  Service& known = service(command.context.service);
  known.brought = command.context.to.text;
  known.switching_since = now();
  known.agreed.insert(known.brought);
  if (again) return;
  known.switches.push_back(now());
  ++known.switches_from[command.context.from.text];
}

// An hour is one from the intent; after a death the deed comes later.
Instant Judge::counted_at(const Incident& incident) const {
  constexpr Duration death = 5min;
  return incident.counted ? std::max(*incident.counted, now() - death) : now();
}

void Judge::check_intent(const Watcher& watcher, const Perform& command) {
  const std::optional<StepRecord> step = watcher.journal().step(command.id);
  if (!step || step->ended) breach("a step is performed and its intent is not in the journal");
  const std::optional<IncidentRecord> incident = watcher.journal().incident(command.id.incident);
  if (!incident || !incident->in_flight || incident->closed) {
    breach("a step is performed and its incident is not in the journal as acting");
  }
}

void Judge::check_alone(const Watcher& watcher, const Perform& command) {
  if (!host_.at_work.empty()) breach("two mutating steps at once on the host");
  const bool has_lock =
      host_.lock_holder == watcher.number() && host_.lock_purpose == "incident " + command.id.incident.text;
  if (!has_lock) breach("a mutating step without the host's lock");
}

void Judge::check_repetition(const Watcher& watcher, const Perform& command) {
  const bool bears_it = command.step.idempotent || command.id.section == PlanSection::always ||
                        command.id.section == PlanSection::on_failure;
  if (command.mutating && command.id.section == PlanSection::steps) {
    if (!bears_it && performed_.contains({watcher.number(), command.id})) breach("a step is repeated blindly");
    return;
  }
  if (!performed_.insert({watcher.number(), command.id}).second && !bears_it) breach("a step is repeated blindly");
}

void Judge::check_switch(const Watcher& watcher, const Perform& command, const Incident& incident) {
  const Service& known = service(command.context.service);
  if (!known.identity) return;
  const std::string& from = command.context.from.text;
  const std::string& to = command.context.to.text;
  if (to.empty()) return breach("a switch to nothing");
  const bool by_hand = by_hand_.contains(command.id.incident);
  // A person may want it done again.
  if (to == from && !(by_hand && incident.record.force)) breach("a switch to what runs already");
  if (known.divided > 2 && !by_hand && !incident.approved) {
    breach("a switch away from " + from + " while instances run different revisions");
  }
  if (known.readable && known.looked != from) {
    breach("a switch away from " + from + " while " + known.looked + " was read to run");
  }
  if (by_hand) return;
  if (incident.record.by_hand) breach("an incident by hand that nobody asked for");
  const auto policy = known.policy.find(from);
  const bool is_forbidden = policy != known.policy.end() && policy->second == RollbackPolicy::forbidden;
  if (is_forbidden) breach("revision " + from + " is rolled back though its mark forbids it");
  const ServiceSpec* service_spec = spec(watcher, command.context.service);
  check_asked(*service_spec, command, incident);
  const auto count = known.switches_from.find(from);
  const int before = count == known.switches_from.end() ? 0 : count->second;
  const bool again = performed_.contains({watcher.number(), command.id}) && command.step.idempotent;
  if (before >= service_spec->fuse.switches_per_revision && !again)
    breach("a second switch away from revision " + from);
  if (within(known.switches, now(), day) >= service_spec->fuse.switches_per_day && !again) {
    breach("more switches in a day than allowed");
  }
  if (incident.good_when_answered) breach("a switch that was said yes to when all was good again");
  check_blame(watcher, command, incident);
}

// Its mark says ask, or the schema changes: a person said yes, or time may.
void Judge::check_asked(const ServiceSpec& of, const Perform& command, const Incident& incident) {
  Service& known = service(command.context.service);
  if (incident.approved || of.ask_then == AskThen::act) return;
  const std::string& from = command.context.from.text;
  const std::string& to = command.context.to.text;
  const auto policy = known.policy.find(from);
  const bool mark_asks = policy != known.policy.end() && policy->second == RollbackPolicy::ask;
  if (mark_asks) breach("revision " + from + " is rolled back and nobody was asked as its mark says");
  const bool both_read = known.schema.contains(from) && known.schema.contains(to);
  if (both_read && known.schema[from] != known.schema[to]) {
    breach("a switch from schema " + known.schema[from] + " to " + known.schema[to] + " that nobody approved");
  }
}

void Judge::check_target(const Watcher&, const Perform& command, const Incident& incident) {
  const Service& known = service(command.context.service);
  if (!known.identity || (by_hand_.contains(command.id.incident) && incident.record.force)) return;
  const std::string& to = command.context.to.text;
  if (known.bad.contains(to)) breach("a switch to the quarantined revision " + to);
  if (by_hand_.contains(command.id.incident)) return;
  const auto ran = known.ran.find(to);
  const bool baked = ran != known.ran.end() && ran->second >= 55min;
  if (!baked && to != known.first && !known.good.contains(to))
    breach("a switch to " + to + ", which was never verified");
  const Instant to_seen = known.last_seen.contains(to) ? known.last_seen.at(to) : Instant::min();
  for (const auto& [revision, seen] : known.last_seen) {
    const auto standing = known.standing.find(revision);
    const bool is_good = standing != known.standing.end() && standing->second == Standing::good;
    const bool is_other = revision != to && revision != command.context.from.text;
    if (is_good && is_other && seen > to_seen + 1min) breach("a switch to " + to + " over " + revision);
  }
  const bool rolled_back_here = !known.brought.empty() && known.brought == command.context.from.text;
  if (rolled_back_here) breach("a rollback is rolled back");
}

// What is blamed was itself seen to be bad for long enough.
void Judge::check_blame(const Watcher& watcher, const Perform& command, const Incident& incident) {
  if (incident.approved || !service(command.context.service).identity) return;
  const Application& app = *host_.applications.at(command.context.service.text);
  const Service& known = service(command.context.service);
  // What nobody can read may be another one by now; that it was the one that is blamed must have been seen.
  const bool is_blind = known.identity && !known.readable;
  const auto& all = measured(watcher);
  const bool any_blames =
      std::any_of(incident.record.rules.begin(), incident.record.rules.end(), [&](const JoinedRule& joined) {
        const auto found = all.find(joined.rule);
        if (found == all.end()) return false;
        const Instant began = joined.joined - Duration(joined.for_ns);
        return is_blind ? began <= known.looked_at + spec(watcher, command.context.service)->start_deadline + 45s
                        : began >= app.running_since() - 12s;
      });
  const bool may_be_asked = spec(watcher, command.context.service)->ask_then == AskThen::act;
  if (!may_be_asked && was_bad_before(watcher, incident.record)) {
    breach("revision " + command.context.from.text + " is blamed for what was bad before it came");
  }
  if (!any_blames) breach("revision " + command.context.from.text + " is blamed for what was measured before it ran");
}

void Judge::check_gate(const Watcher& watcher, const Perform& command, const Incident& incident) {
  const Service& known = service(command.context.service);
  const bool is_deploying = known.deploying && now() < known.deploying_since + 15min;
  if (is_deploying) breach("something is changed while a deployment is under way");
  if (by_hand_.contains(command.id.incident)) return;
  const IncidentRecord& record = incident.record;
  if (!may_act(watcher, record, incident.approved)) {
    breach("something is changed that nobody approved and that no rule may do by itself");
  }
  if (now() < std::min(known.paused_until, known.pause_saved_until))
    breach("something is changed while the service is paused");
  if (unaccepted_.contains(watcher.number())) breach("acts before its damaged journal was accepted");
  if (degraded_[watcher.number()] && !incident.approved) breach("acts by itself while in trouble itself");
  const ServiceSpec* service_spec = spec(watcher, command.context.service);
  const bool first = incident.mutated.size() == 1;
  if (first && known.mutation_ended != Instant::min() && now() < known.mutation_ended + service_spec->cooldown) {
    breach("something is changed before the cooldown is over");
  }
  check_fuse(watcher, command);
  if (!first) check_judged_again(watcher, incident);
  if (first && !incident.approved && service_spec->ask_then != AskThen::act) check_neighbours(watcher, record);
  if (!incident.approved && service_spec->ask_then != AskThen::act) check_harm(watcher, record);
  if (first && !incident.approved && service_spec->ask_then != AskThen::act) check_explained(watcher, record);
}

void Judge::check_fuse(const Watcher& watcher, const Perform& command) {
  Service& known = service(command.context.service);
  const ServiceSpec* service_spec = spec(watcher, command.context.service);
  const bool again = performed_.contains({watcher.number(), command.id}) && command.step.idempotent;
  if (within(known.mutations, now(), an_hour) >= service_spec->fuse.mutations_per_hour && !again) {
    breach("more actions in an hour than allowed");
  }
  if (!service_spec->has_identity && ++known.acted_unnamed > 1 && incidents_[command.id.incident].mutated.size() == 1) {
    breach("a service without an identity acts twice");
  }
}

void Judge::fuse_saved(const FuseRecord& record) {
  Service& known = service(record.service);
  if (record.use == FuseUse::reset) {
    known.overtaken[Outcome::fused] = now();
    return starts_anew(known);
  }
  if (!record.undone) {
    if (record.use != FuseUse::switched) incidents_[record.incident].counted = record.at;
    return;
  }
  // What was taken back before it was begun counted nowhere.
  const auto of = incidents_.find(record.incident);
  const bool counts_switch = record.use == FuseUse::switched;
  if (of != incidents_.end() && (counts_switch ? !of->second.switched : of->second.mutated.empty())) return;
  // What changed nothing is not counted; that has to be so.
  const bool is_so = !known.identity || !known.readable || known.looked == record.from.text;
  if (!is_so)
    return breach("a switch away from " + record.from.text + " is not counted, and " + known.looked + " runs");
  std::vector<Instant>& counted = record.use == FuseUse::switched ? known.switches : known.mutations;
  if (!counted.empty()) counted.pop_back();
  if (record.use == FuseUse::switched) --known.switches_from[record.from.text];
  reach("a switch that changed nothing");
}

// By its severity, its mode and by what the service is armed for; or because a person, or time, said so.
bool Judge::may_act(const Watcher& watcher, const IncidentRecord& record, bool approved) const {
  const ServiceSpec* service_spec = spec(watcher, record.service);
  if (service_spec == nullptr) return true;
  const Service& known = services_.at(record.service.text);
  Mode most = Mode::observe;
  for (const JoinedRule& joined : record.rules) {
    const RuleSpec* one = rule(watcher, joined.rule);
    if (one == nullptr) return true;
    Mode mode = one->severity == Severity::p3 ? Mode::notify : Mode::act;
    if (one->severity == Severity::p2) mode = Mode::ask;
    most = std::max(most, std::min(one->mode.value_or(mode), watcher.config().mode));
  }
  if (most < Mode::ask) return false;
  if (approved || service_spec->ask_then == AskThen::act) return true;
  if (most < Mode::act) return false;
  if (service_spec->arm == Arm::always) return true;
  // Once it is verified it is disarmed.
  const bool verified = record.from.text == known.first || known.good.contains(record.from.text);
  return !verified || !service_spec->has_identity;
}

}  // namespace sim
