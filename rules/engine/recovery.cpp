#include <algorithm>
#include <cassert>
#include <utility>

#include "rules/engine/core.hpp"

// How the core begins: from what was saved, and with another configuration.

namespace rules {

std::vector<Condition> all_conditions(const CoreConfig& config);

namespace {

// The clock was set back over the restart: what is written as later than now is taken as of now. Left in the future it
// would keep evidence from counting, and a cooldown from ending, until that time came.
void bring_to_present(DurableState& durable, Instant now) {
  const auto to_present = [now](Instant& at) { at = std::min(at, now); };
  const auto to_present_if_any = [&](std::optional<Instant>& at) {
    if (at) to_present(*at);
  };
  to_present_if_any(durable.last_alive);
  for (LedgerRecord& record : durable.ledger) {
    to_present(record.appeared);
    to_present(record.last_seen);
  }
  for (ServiceRecord& record : durable.services) {
    to_present(record.running_since);
    to_present_if_any(record.deploying_since);
    to_present_if_any(record.mutation_ended);
    if (record.mark) to_present(record.mark->at);
  }
  for (FuseRecord& record : durable.fuse) to_present(record.at);
  for (IncidentRecord& record : durable.incidents) {
    to_present(record.opened);
    to_present(record.phase_since);
    for (JoinedRule& joined : record.rules) to_present(joined.joined);
  }
}

}  // namespace

Core::Core(CoreConfig config, DurableState durable, Instant now)
    : config_(std::move(config)), measurements_(config_.probes, config_.signals, all_conditions(config_)), now_(now) {
  std::sort(durable.fuse.begin(), durable.fuse.end(),
            [](const FuseRecord& a, const FuseRecord& b) { return a.at < b.at; });
  bring_to_present(durable, now);
  for (LedgerRecord& record : durable.ledger) ledger_.put(std::move(record));
  for (FuseRecord& record : durable.fuse) fuse_.put(std::move(record));
  build_services(durable);
  build_rules(now);
  for (auto& [name, service] : services_) warm_up(service, now + service.spec.start_deadline);
  restore_spans(durable);
  restore_incidents(durable);
  // What was read back is looked at with whatever comes first.
  touch_all();
  set_timers();
}

void Core::build_services(DurableState& durable) {
  for (const ServiceSpec& spec : config_.services) {
    WatchedService service;
    service.spec = spec;
    service.record.service = spec.name;
    for (ServiceRecord& record : durable.services) {
      if (record.service == spec.name) service.record = std::move(record);
    }
    if (const LedgerRecord* running = ledger_.find(spec.name, service.record.running)) {
      // Evidence from between our last look and our end may be of either revision: it counts for neither.
      service.last_saw_running = std::max(running->last_seen, durable.last_alive.value_or(Instant::min()));
      // After a rollback the windows would else reach back into what was left.
      service.not_before = std::max(running->appeared, service.record.running_since);
      if (service.record.rolled_back_here) {
        service.not_before = std::max(service.not_before, service.record.mutation_ended.value_or(Instant::min()));
      }
    }
    for (const RuleSpec& rule : config_.rules) {
      if (rule.service != spec.name) continue;
      std::vector<const Condition*> conditions{&rule.when};
      if (rule.clear) conditions.push_back(&*rule.clear);
      for (const Condition* condition : conditions) {
        for (const Condition::Reference& reference : condition->references()) {
          if (!reference.baseline) continue;
          Expression expression;
          if (const auto* signal = std::get_if<SignalRef>(&reference.to)) expression.node = *signal;
          if (const auto* field = std::get_if<FieldRef>(&reference.to)) expression.node = *field;
          const std::string key = frozen_key(expression);
          service.baseline_of.insert_or_assign(key, std::move(expression));
        }
      }
    }
    services_.emplace(spec.name, std::move(service));
  }
}

void Core::restore_spans(const DurableState& durable) {
  for (const SpanRecord& record : durable.spans) {
    WatchedRule* rule = watched(record.rule);
    if (rule == nullptr) continue;
    rule->tracker.restore(record, now_, max_gap(*rule));
    const RuleState state = rule->tracker.state();
    if (state == RuleState::confirming) rule->withheld_before = record.withheld_since;
    rule->answered = state == RuleState::firing || state == RuleState::recovering;
    const Verdict last = rule->tracker.bad_when_last_observed() ? Verdict::bad : Verdict::good;
    rule->known.emplace_back(record.saved_at, last);
  }
}

void Core::restore_incidents(DurableState& durable) {
  for (IncidentRecord& record : durable.incidents) {
    if (record.phase == IncidentPhase::closed) continue;
    if (services_.contains(record.service)) {
      restore_incident(std::move(record), durable);
    } else {
      close_without_service(std::move(record));
    }
  }
}

// Left open it would be taken up again whenever the service came back, however old its evidence was by then.
void Core::close_without_service(IncidentRecord record) {
  LiveIncident incident;
  incident.record = std::move(record);
  IncidentRecord& closing = incident.record;
  const Outcome nothing_said = closing.past_no_return ? Outcome::action_failed : Outcome::aborted;
  closing.outcome = closing.pending_outcome.value_or(nothing_said);
  closing.outcome_detail = "service " + closing.service.text + " is no longer in the configuration";
  closing.closed = now_;
  closing.phase = IncidentPhase::closed;
  closing.phase_since = now_;
  closing.in_flight = false;
  closing.deadline.reset();
  note("incident_closed", {{"incident", closing.id.text},
                           {"outcome", std::string(to_string(*closing.outcome))},
                           {"why", closing.outcome_detail}});
  tell(incident, Stage::failed, "closed", std::string(to_string(*closing.outcome)) + ": " + closing.outcome_detail);
}

void Core::restore_incident(IncidentRecord record, const DurableState& durable) {
  WatchedService& service = services_.at(record.service);
  if (service.incident) return;
  LiveIncident incident;
  incident.record = std::move(record);
  for (const ActionSpec& action : config_.actions) incident.plans.emplace(action.name, action);
  service.incident = incident.record.id;
  service.last_id = incident.record.id;
  // What fires and is not part of it is still to be answered.
  for (WatchedRule* rule : service.rules) rule->answered = false;
  for (const JoinedRule& joined : incident.record.rules) {
    const std::pair fired{joined.joined, Duration(joined.for_ns)};
    if (!service.last_fired || service.last_fired->first < fired.first) service.last_fired = fired;
  }
  for (const StepRecord& step : durable.steps) {
    if (step.id.incident != incident.record.id || step.id.rung != incident.record.rung) continue;
    const bool is_current = step.id.section == incident.record.section && step.id.step == incident.record.step &&
                            step.id.attempt == incident.record.attempt;
    if (is_current) incident.step = step;
  }
  const IncidentId id = incident.record.id;
  LiveIncident& restored = incidents_.emplace(id, std::move(incident)).first->second;
  resume_step(restored, durable.at_work);
}

// SPEC section 6: a plan goes on at the first step not started; a step in flight is run again only when it bears that.
void Core::resume_step(LiveIncident& incident, const std::optional<StepId>& at_work) {
  IncidentRecord& record = incident.record;
  story(incident, "restarted", "found open at a start, " + std::string(to_string(record.phase)));
  if (record.by_hand && plan(incident) == nullptr) {
    const WatchedService& service = service_of(incident);
    std::optional<ActionSpec> bare = action_by_hand(
        service, RollbackByHand{.service = record.service, .to = {}, .action = {}, .reason = {}, .by = {}});
    if (bare && !record.ladder.empty() && bare->name == record.ladder.front())
      incident.plans.emplace(bare->name, *bare);
  }
  const ActionSpec* action = plan(incident);
  if (fuse_.counted(record.service, record.id, record.opened) && record.section == PlanSection::steps &&
      action != nullptr) {
    const auto& begun = action->steps;
    const std::size_t done = std::min(begun.size(), record.step + (record.in_flight ? 1 : 0));
    const bool mutated = std::any_of(begun.begin(), begun.begin() + static_cast<std::ptrdiff_t>(done), is_mutating);
    if (mutated) incident.rung_began = record.phase_since;
  }
  const bool was_running =
      record.phase == IncidentPhase::acting || record.phase == IncidentPhase::finishing || record.in_flight;
  if (!was_running) return;
  const bool same_plan = action != nullptr && action->fingerprint() == record.plan_fingerprint;
  if (!same_plan) {
    if (std::exchange(record.in_flight, false)) ++record.step;
    if (record.phase == IncidentPhase::finishing) {
      record.step = 0;
      return;
    }
    return finish(incident, Outcome::action_failed, "the plan that it began with is no longer in the configuration");
  }
  if (!record.in_flight) return;
  const std::vector<StepSpec>& section = steps_of(*action, record.section);
  if (record.step >= section.size()) {
    record.in_flight = false;
    return;
  }
  if (at_work != incident.step.id) return take_up_step(incident);
  // What runs is not looked at, and nothing else begun, before it has ended.
  incident.left_at_work = true;
  story(incident, "left_at_work", incident.step.text + ": its command still runs and is waited for");
  note("left_at_work", {{"incident", record.id.text}, {"step", std::to_string(record.step)}});
  if (record.pending_outcome) emit(CancelStep{incident.step.id});
}

void Core::work_ended(LiveIncident& incident, const std::string& how) {
  incident.left_at_work = false;
  story(incident, "work_ended", incident.step.text + ": " + how);
  note("work_ended", {{"incident", incident.record.id.text}, {"how", how}});
  take_up_step(incident);
}

// What becomes of a step that was in flight when the watcher ended, and is no more.
void Core::take_up_step(LiveIncident& incident) {
  IncidentRecord& record = incident.record;
  const StepSpec& step = steps_of(*plan(incident), record.section)[record.step];
  const bool is_ours = std::holds_alternative<WaitStep>(step.what) || std::holds_alternative<SleepStep>(step.what) ||
                       std::holds_alternative<AskStep>(step.what);
  if (is_ours) return;
  if (incident.step.ended && incident.step.status != StepStatus::started) {
    const StepRecord& ended = incident.step;
    return end_step(incident, {ended.status, ended.exit_code, ended.detail, ended.output, ended.output_dropped});
  }
  const bool bears_repetition = step.idempotent || record.section == PlanSection::on_failure ||
                                record.section == PlanSection::always || std::holds_alternative<NotifyStep>(step.what);
  if (std::holds_alternative<SwitchStep>(step.what) && service_of(incident).spec.has_identity) {
    incident.look_settles_switch = true;
    return ask_look(incident);
  }
  if (bears_repetition && !std::holds_alternative<SwitchStep>(step.what)) {
    // Begun anew rather than commanded at once: the host's lock has to be had again first.
    record.in_flight = false;
    return save(incident);
  }
  end_step(incident,
           {StepStatus::interrupted, std::nullopt, "the watcher ended while it ran; it is not run again", "", 0});
}

std::vector<Command> Core::reload(CoreConfig config, Instant now) {
  run_to(now);
  touch_all();
  touched_.clear();
  timers_.clear();
  std::map<RuleName, WatchedRule> old_rules = std::move(rules_);
  std::map<ServiceName, WatchedService> old_services = std::move(services_);
  services_.clear();
  config_ = std::move(config);
  Measurements fresh(config_.probes, config_.signals, all_conditions(config_));
  fresh.adopt(std::move(measurements_));
  measurements_ = std::move(fresh);
  DurableState nothing;
  build_services(nothing);
  // An open incident goes on with its plan even where its service is no longer configured.
  for (auto& [name, old] : old_services) {
    const auto now_configured = services_.find(name);
    if (now_configured == services_.end()) {
      if (old.incident) services_.emplace(name, std::move(old));
      continue;
    }
    WatchedService& service = now_configured->second;
    std::swap(old.spec, service.spec);
    std::swap(old.baseline_of, service.baseline_of);
    service = std::move(old);
  }
  for (auto& [name, service] : services_) service.timer.reset();
  build_rules(now_);
  touch_all();
  for (auto& [name, service] : services_) {
    if (!old_services.contains(name)) warm_up(service, now_ + service.spec.start_deadline);
  }
  for (auto& [name, rule] : rules_) {
    const auto old = old_rules.find(name);
    if (old == old_rules.end() || old->second.spec.service != rule.spec.service) continue;
    rule.known = std::move(old->second.known);
    rule.blind = old->second.blind;
    if (fingerprint(old->second.spec) != fingerprint(rule.spec)) continue;
    rule.tracker.restore(old->second.tracker.record(now_), now_, Duration::zero());
    rule.answered = old->second.answered;
    rule.recovered = old->second.recovered;
    rule.withheld_since = old->second.withheld_since;
    rule.withheld_before = old->second.withheld_before;
  }
  note("reloaded", {{"rules", std::to_string(rules_.size())}, {"services", std::to_string(services_.size())}});
  rejudge(nullptr);
  react();
  return take_commands();
}

}  // namespace rules
