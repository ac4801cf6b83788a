#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"

// May the rung at the cursor begin to change things? Asked when an incident opens, whenever something changes while it
// waits, and again right before its first mutating step (SPEC 2.16 to 2.25).

namespace rules {

namespace {

bool is_firing(const WatchedRule& rule) {
  const RuleState state = rule.tracker.state();
  return state == RuleState::firing || state == RuleState::recovering;
}

}  // namespace

Core::Gate Core::gate(const LiveIncident& incident) const {
  if (std::optional<Gate> end = gate_end(incident)) return *end;
  const ActionSpec* action = plan(incident);
  if (action == nullptr) return {GateKind::tell, "no action is left to be taken", {}, {}};
  // What has begun to change things is not asked again whether it may, only whether it can.
  if (!incident.rung_began) {
    if (std::optional<Gate> no = gate_begin(incident, *action)) return *no;
  }
  if (!action->mutates()) return {};
  if (host_owner_ && *host_owner_ != incident.record.id) {
    return {GateKind::hold, "incident " + host_owner_->text + " acts on this host", lock_patience_ends(incident), {}};
  }
  if (incident.rung_began && lock_given_up(incident)) {
    return {GateKind::close, "the host's lock cannot be had: " + incident.lock_holder, {}, Outcome::action_failed};
  }
  if (incident.lock_retry_at && now_ < *incident.lock_retry_at) {
    return {GateKind::hold, "the host's lock: " + incident.lock_holder, incident.lock_retry_at, {}};
  }
  return {};
}

std::optional<Core::Gate> Core::gate_begin(const LiveIncident& incident, const ActionSpec& action) const {
  if (mode_allowed(incident, action, &Core::is_uncleared, cap()) < Mode::ask) {
    return Gate{GateKind::tell, "nothing but telling is allowed", {}, {}};
  }
  if (!action.mutates()) return std::nullopt;
  if (std::optional<Gate> end = gate_target(incident, action)) return end;
  if (std::optional<Gate> hold = gate_hold(incident, action)) return hold;
  const bool approved_by_time = incident.record.approved_by == approved_by_nobody && cap() >= Mode::act;
  const bool approved = incident.record.by_hand || is_approved_by_person(incident) || approved_by_time;
  if (approved) return std::nullopt;
  std::string why = why_ask(incident, action);
  if (!why.empty()) return Gate{GateKind::ask, std::move(why), {}, {}};
  const std::string trouble = own_trouble();
  if (trouble.empty()) return std::nullopt;
  return Gate{GateKind::ask, "rollbackd is in trouble itself: " + trouble, {}, {}, true};
}

// What ends an incident while nothing has been changed yet.
std::optional<Core::Gate> Core::gate_end(const LiveIncident& incident) const {
  if (moved_on(incident)) {
    const Revision& running = service_of(incident).record.running;
    return Gate{GateKind::close, "revision " + running.text + " runs now", {}, Outcome::superseded};
  }
  if (!incident.record.past_no_return && all_cleared(incident)) {
    return Gate{GateKind::close, "the rules cleared before anything was changed", {}, Outcome::cleared};
  }
  return std::nullopt;
}

std::optional<Core::Gate> Core::gate_target(const LiveIncident& incident, const ActionSpec& action) const {
  const WatchedService& service = service_of(incident);
  const LedgerRecord* from = ledger_.find(service.spec.name, incident.record.from);
  if (const SwitchStep* step = switch_of(action)) {
    const bool forbidden = from != nullptr && from->policy == RollbackPolicy::forbidden;
    if (forbidden && !incident.record.by_hand) {
      return Gate{GateKind::tell, "its deploy mark forbids rolling it back", {}, {}};
    }
    std::string why;
    if (!target(incident, *step, why)) return Gate{GateKind::close, why, {}, Outcome::no_target};
  }
  if (incident.record.by_hand) return std::nullopt;
  if (service.record.acted_without_identity && !incident.record.past_no_return) {
    return Gate{
        GateKind::close, "without an identity it acts once until deploy mark or fuse reset", {}, Outcome::fused};
  }
  std::string blown = fuse_.blown(service.spec.name, service.spec.fuse, from, action.switches(), now_);
  if (blown.empty()) return std::nullopt;
  return Gate{GateKind::close, std::move(blown), {}, Outcome::fused};
}

std::optional<Core::Gate> Core::gate_hold(const LiveIncident& incident, const ActionSpec& action) const {
  const WatchedService& service = service_of(incident);
  const ServiceRecord& record = service.record;
  if (is_deploying(service)) {
    const std::optional<Instant> until =
        record.deploying_since ? std::optional(*record.deploying_since + service.spec.deploy_timeout) : std::nullopt;
    return Gate{GateKind::hold, "a deployment is under way", until, {}};
  }
  if (incident.record.by_hand) return std::nullopt;
  if (is_paused(service)) {
    return Gate{GateKind::hold, "paused until " + told(*record.paused_until), record.paused_until, {}};
  }
  if (incident.record.past_no_return) return std::nullopt;
  const bool cooling = record.mutation_ended && now_ < *record.mutation_ended + service.spec.cooldown;
  if (cooling) {
    const Instant until = *record.mutation_ended + service.spec.cooldown;
    return Gate{GateKind::hold, "cooldown until " + told(until), until, {}};
  }
  if (mode_allowed(incident, action, &Core::gives_reason, cap()) < Mode::ask) {
    return Gate{GateKind::hold, "waits until its rules are seen bad again or clear", {}, {}};
  }
  return std::nullopt;
}

// Why a person has to approve it; empty when nobody has to, but for our own trouble.
std::string Core::why_ask(const LiveIncident& incident, const ActionSpec& action) const {
  const WatchedService& service = service_of(incident);
  const IncidentRecord& record = incident.record;
  const Reason reason = record.past_no_return ? &Core::is_uncleared : &Core::gives_reason;
  if (mode_allowed(incident, action, reason, cap_once_well()) == Mode::ask) return "its mode is ask";
  if (!record.asked.empty()) return record.asked;
  if (!is_armed(service)) return "the service is disarmed: what runs has been verified";
  const std::string other = correlated_with(service);
  if (!other.empty()) return "service " + other + " is in trouble at the same time";
  const std::optional<Instant> patience = lock_patience_ends(incident);
  if (patience && *patience <= now_) return "the host's lock cannot be had: " + incident.lock_holder;
  const SwitchStep* step = switch_of(action);
  if (step == nullptr) return "";
  const Reason news = record.past_no_return ? &Core::is_uncleared_news : &Core::gives_new_reason;
  if (mode_allowed(incident, action, news, cap_once_well()) < Mode::act)
    return "its rules were bad before this revision came";
  const LedgerRecord* from = ledger_.find(service.spec.name, record.from);
  if (from != nullptr && from->policy == RollbackPolicy::ask) return "its deploy mark says ask";
  std::string ignored;
  const std::optional<Revision> to = target(incident, *step, ignored);
  const LedgerRecord* known = to ? ledger_.find(service.spec.name, *to) : nullptr;
  const bool schema_changes = from != nullptr && known != nullptr && from->schema != known->schema;
  const bool undoes_schema = std::find(action.undoes.begin(), action.undoes.end(), "schema") != action.undoes.end();
  if (schema_changes && !undoes_schema) {
    return "the schema changes from " + (from->schema.empty() ? "unknown" : from->schema) + " to " +
           (known->schema.empty() ? "unknown" : known->schema);
  }
  return "";
}

// The most that any joined rule whose response has this action, and that counts, may do.
Mode Core::mode_allowed(const LiveIncident& incident, const ActionSpec& action, Reason counts, Mode cap) const {
  if (incident.record.by_hand) return Mode::act;
  Mode most = Mode::observe;
  for (const JoinedRule& joined : incident.record.rules) {
    const WatchedRule* rule = watched(joined.rule);
    if (rule == nullptr || !(this->*counts)(incident, *rule)) continue;
    const std::vector<ActionName>& respond = rule->spec.respond;
    const bool responds = std::find(respond.begin(), respond.end(), action.name) != respond.end();
    const Mode mode = mode_of(rule->spec, cap);
    most = std::max(most, responds ? mode : std::min(mode, Mode::notify));
  }
  return most;
}

bool Core::is_uncleared(const LiveIncident&, const WatchedRule& rule) const { return !has_cleared(rule); }

// It fires and is seen to be bad at this moment: what was bad before a wait is not enough (SPEC 2.25). Where a person
// said yes it only must not be good.
bool Core::gives_reason(const LiveIncident& incident, const WatchedRule& rule) const {
  if (!is_firing(rule)) return false;
  if (rule.when.verdict == Verdict::bad) return true;
  return rule.when.verdict == Verdict::unknown && is_approved_by_person(incident);
}

bool Core::is_approved_by_person(const LiveIncident& incident) const {
  const std::string& by = incident.record.approved_by;
  return !by.empty() && by != approved_by_nobody;
}

bool Core::is_uncleared_news(const LiveIncident& incident, const WatchedRule& rule) const {
  return is_uncleared(incident, rule) && !is_preexisting(service_of(incident), rule.spec.name);
}

bool Core::gives_new_reason(const LiveIncident& incident, const WatchedRule& rule) const {
  return gives_reason(incident, rule) && !is_preexisting(service_of(incident), rule.spec.name);
}

// Another service that fired within one `for`, with which no dependency explains it (SPEC 2.19).
std::string Core::correlated_with(const WatchedService& service) const {
  if (!service.last_fired) return "";
  const auto depends = [](const WatchedService& a, const WatchedService& b) {
    return std::find(a.spec.depends_on.begin(), a.spec.depends_on.end(), b.spec.name) != a.spec.depends_on.end();
  };
  for (const auto& [name, other] : services_) {
    if (name == service.spec.name || !other.last_fired) continue;
    if (depends(service, other) || depends(other, service)) continue;
    const Duration apart = std::chrono::abs(other.last_fired->first - service.last_fired->first);
    if (apart <= std::max(other.last_fired->second, service.last_fired->second)) return name.text;
  }
  return "";
}

bool Core::all_cleared(const LiveIncident& incident) const {
  if (incident.record.by_hand) return false;
  return std::all_of(incident.record.rules.begin(), incident.record.rules.end(), [&](const JoinedRule& joined) {
    const WatchedRule* rule = watched(joined.rule);
    return rule == nullptr || has_cleared(*rule);
  });
}

bool Core::has_cleared(const WatchedRule& rule) const {
  if (is_firing(rule)) return false;
  if (rule.recovered) return true;
  return rule.when.verdict == Verdict::good && rule.tracker.good_for(now_) >= recovery_hold(rule.spec);
}

// Another revision than the one it is about, or than its target, runs by somebody else's doing.
bool Core::moved_on(const LiveIncident& incident) const {
  const ServiceRecord& service = service_of(incident).record;
  const IncidentRecord& record = incident.record;
  if (record.from.empty() || service.running.empty()) return false;
  if (service.running == record.from) return service.running_since > record.opened;
  return !record.switched || service.running != record.to;
}

}  // namespace rules
