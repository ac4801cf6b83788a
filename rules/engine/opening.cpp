#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "rules/engine/core.hpp"
#include "rules/engine/titles.hpp"

// From a rule that fires to an incident (SPEC 2.19, 2.20).

namespace rules {

namespace {

Mode default_mode(Severity severity) {
  switch (severity) {
    case Severity::p0:
    case Severity::p1:
      return Mode::act;
    case Severity::p2:
      return Mode::ask;
    case Severity::p3:
      return Mode::notify;
  }
  return Mode::notify;
}

bool is_firing(const WatchedRule& rule) {
  const RuleState state = rule.tracker.state();
  return state == RuleState::firing || state == RuleState::recovering;
}

std::string id_time(Instant at) {
  using namespace std::chrono;
  const auto since = floor<std::chrono::seconds>(at.time_since_epoch());
  const sys_seconds utc{since};
  const auto day = floor<days>(utc);
  const year_month_day date{day};
  const hh_mm_ss time{utc - day};
  char out[32];
  std::snprintf(out, sizeof out, "%04d%02u%02u-%02d%02d%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out;
}

}  // namespace

Mode Core::cap() const { return own_trouble().empty() ? cap_once_well() : std::min(cap_once_well(), Mode::ask); }

// What only a person ends stays.
Mode Core::cap_once_well() const {
  const auto observes = [](const SelfDegraded& one) { return one.observe_only; };
  return std::any_of(degraded_.begin(), degraded_.end(), observes) ? Mode::observe : config_.mode;
}

// Why we ask instead of acting; empty when we do not.
std::string Core::own_trouble() const {
  for (const SelfDegraded& one : degraded_) {
    if (one.ask_instead_of_act) return one.reason;
  }
  return "";
}

// Time answers nothing that the mode in force leaves to a person.
AskThen Core::ask_then(const WatchedService& service) const {
  return cap() >= Mode::act ? service.spec.ask_then : AskThen::close;
}

Mode Core::mode_of(const RuleSpec& rule, Mode cap) const {
  const Mode mode = std::min(cap, rule.mode.value_or(default_mode(rule.severity)));
  return rule.respond.empty() ? std::min(mode, Mode::notify) : mode;
}

WatchedRule* Core::watched(const RuleName& rule) {
  const auto found = rules_.find(rule);
  return found == rules_.end() ? nullptr : &found->second;
}

const WatchedRule* Core::watched(const RuleName& rule) const {
  const auto found = rules_.find(rule);
  return found == rules_.end() ? nullptr : &found->second;
}

const RuleSpec* Core::spec_of(const RuleName& rule) const {
  const WatchedRule* found = watched(rule);
  return found == nullptr ? nullptr : &found->spec;
}

void Core::take_edges(WatchedRule& rule) {
  WatchedService& service = services_.at(rule.spec.service);
  if (rule.tracker.take_fired()) {
    rule.recovered = false;
    rule.answered = false;
    rule.looked_for = false;
    const RuleProgress progress = rule.tracker.progress(now_);
    std::vector<std::pair<std::string, std::string>> fields{{"rule", rule.spec.name.text},
                                                            {"service", rule.spec.service.text},
                                                            {"bad", told(progress.bad)},
                                                            {"for", told(rule.spec.sustain)},
                                                            {"samples", std::to_string(progress.bad_samples)}};
    if (rule.when.decisive < rule.when.comparisons.size()) {
      const Comparison& decisive = rule.when.comparisons[rule.when.decisive];
      if (decisive.value.value) fields.emplace_back("value", told(*decisive.value.value));
      if (decisive.threshold) fields.emplace_back("limit", told(*decisive.threshold));
    }
    note("firing", std::move(fields));
    LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
    if (running != nullptr && rule.spec.severity != Severity::p3 && running->baked_ns < service.spec.bake.count()) {
      running->baked_ns = 0;
      save(*running);
    }
    LiveIncident* incident = open_incident(service);
    if (incident != nullptr && mode_of(rule.spec) >= Mode::ask) incident->refired = true;
  }
  if (rule.tracker.take_recovered()) {
    rule.recovered = true;
    note("rule_recovered", {{"rule", rule.spec.name.text}, {"service", rule.spec.service.text}});
  }
  if (!is_firing(rule)) {
    rule.answered = false;
    rule.withheld_since.reset();
  }
}

// A rule that fires is in an incident, withheld, or answered by one that is closed.
void Core::answer_firing(WatchedRule& rule) {
  WatchedService& service = services_.at(rule.spec.service);
  if (!is_firing(rule) || rule.answered || is_paused(service)) return;
  LiveIncident* incident = open_incident(service);
  if (incident != nullptr) {
    const auto& joined = incident->record.rules;
    const bool is_in =
        std::any_of(joined.begin(), joined.end(), [&](const JoinedRule& one) { return one.rule == rule.spec.name; });
    if (is_in || incident->record.phase == IncidentPhase::closed) return;
    // What fires while the outcome is already decided is judged on its own afterwards.
    if (incident->record.pending_outcome) return;
  }
  if (incident == nullptr && awaits_identity(service, rule)) return;
  if (withheld(rule)) return;
  service.last_fired = {now_, rule.spec.sustain};
  if (incident != nullptr) {
    join(*incident, rule);
  } else {
    open(service, rule);
  }
}

// A rule with a short `for` may fire before it was seen that another revision runs, which it would then be held against
// the wrong one. So it waits for a look that began after its evidence did, and for the second one where that saw
// something new: the new revision is then judged on its own.
bool Core::awaits_identity(const WatchedService& service, WatchedRule& rule) {
  if (!service.spec.has_identity) return false;
  const RuleProgress fired = rule.tracker.progress(now_);
  const Instant fired_at = fired.since.value_or(now_);
  if (!service.unconfirmed && service.last_look >= fired_at - fired.observed) return false;
  if (now_ >= fired_at + identity_wait_max) return false;
  if (!std::exchange(rule.looked_for, true)) {
    note("looks_what_runs", {{"rule", rule.spec.name.text}, {"service", rule.spec.service.text}});
    emit(ReadRevision{rule.spec.service});
  }
  return true;
}

bool Core::withheld(WatchedRule& rule) {
  if (!rule.spec.unless) return false;
  const WatchedService& service = services_.at(rule.spec.service);
  const Judgement other = measurements_.judge(*rule.spec.unless, scope(service, std::nullopt), now_);
  rule.withheld_valid_until = other.valid_until;
  if (other.verdict != Verdict::bad) return false;
  if (!rule.withheld_since) {
    rule.withheld_since = rule.withheld_before.value_or(now_);
    rule.withheld_by = rule.spec.unless->text();
    note("withheld", {{"rule", rule.spec.name.text}, {"unless", rule.withheld_by}});
  }
  return now_ < *rule.withheld_since + rule.spec.unless_max;
}

JoinedRule Core::joined_now(const WatchedRule& rule) const {
  const RuleProgress progress = rule.tracker.progress(now_);
  JoinedRule joined;
  joined.rule = rule.spec.name;
  joined.severity = rule.spec.severity;
  joined.joined = now_;
  joined.evidence = rule.when.comparisons;
  joined.bad_ns = progress.bad.count();
  joined.for_ns = rule.spec.sustain.count();
  joined.samples = progress.bad_samples;
  return joined;
}

IncidentId Core::new_id(WatchedService& service, const std::string& what) {
  const std::string base = id_time(now_) + "-" + service.spec.name.text + "-" + what;
  IncidentId id(base);
  for (int copy = 2; incidents_.contains(id) || id == service.last_id; ++copy) {
    id = IncidentId(base + "-" + std::to_string(copy));
  }
  service.last_id = id;
  return id;
}

void Core::open(WatchedService& service, WatchedRule& rule) {
  LiveIncident incident;
  IncidentRecord& record = incident.record;
  record.id = new_id(service, rule.spec.name.text);
  record.service = service.spec.name;
  record.rules.push_back(joined_now(rule));
  record.severity = rule.spec.severity;
  record.opened = now_;
  record.from = service.record.running;
  record.before = values_before(service);
  record.phase = IncidentPhase::held;
  record.phase_since = now_;
  for (const ActionSpec& action : config_.actions) incident.plans.emplace(action.name, action);
  add_rungs(incident, rule.spec, true);
  const auto higher = service.record.next_rung.find(rule.spec.name.text);
  if (higher != service.record.next_rung.end() && !record.ladder.empty()) {
    record.rung = std::min(static_cast<std::size_t>(std::max(higher->second, 0)), record.ladder.size() - 1);
  }
  service.incident = record.id;
  const auto [place, added] = incidents_.emplace(record.id, std::move(incident));
  note("incident_opened", {{"incident", place->first.text},
                           {"rule", rule.spec.name.text},
                           {"severity", std::string(to_string(rule.spec.severity))}});
  tell(place->second, Stage::started, "fired",
       evidence_of(place->second.record.rules.front()) + " for " +
           told(Duration(place->second.record.rules.front().bad_ns)) + ", " +
           std::to_string(place->second.record.rules.front().samples) + " bad samples");
}

// SPEC 2.20: a more severe rule starts its own response at once, other untried rungs are appended.
void Core::join(LiveIncident& incident, WatchedRule& rule) {
  IncidentRecord& record = incident.record;
  const bool was_telling = record.phase == IncidentPhase::telling;
  const bool more_severe = rule.spec.severity < record.severity && mode_of(rule.spec) >= Mode::ask;
  record.rules.push_back(joined_now(rule));
  record.severity = std::min(record.severity, rule.spec.severity);
  const std::vector<ActionName> ladder_before = record.ladder;
  add_rungs(incident, rule.spec, more_severe);
  const bool waits = record.phase == IncidentPhase::held || record.phase == IncidentPhase::asking || was_telling;
  if (waits && !record.in_flight && mode_of(rule.spec) >= Mode::ask) {
    // Why another rule had to ask is not this one's reason.
    record.asked.clear();
    enter(incident, IncidentPhase::held);
  } else if (more_severe && record.ladder != ladder_before) {
    incident.climb_now = true;
  }
  tell(incident, Stage::progress, "joined",
       "rule " + rule.spec.name.text + " (" + std::string(to_string(rule.spec.severity)) +
           ") fired too: " + rule.spec.when.text());
}

// `first`: its untried rungs come before the other untried ones.
void Core::add_rungs(LiveIncident& incident, const RuleSpec& rule, bool first) {
  if (mode_of(rule) < Mode::ask) return;
  IncidentRecord& record = incident.record;
  const bool current_is_untried = !rung_started(incident) && !record.past_no_return;
  const bool is_open_to_change = record.ladder.empty() || current_is_untried;
  std::size_t place = std::min(record.ladder.size(), record.rung + (is_open_to_change ? 0 : 1));
  const auto tried_end = record.ladder.begin() + static_cast<std::ptrdiff_t>(place);
  std::vector<ActionName> untried;
  for (const ActionName& action : rule.respond) {
    const bool tried = std::find(record.ladder.begin(), tried_end, action) != tried_end;
    if (!tried && incident.plans.contains(action)) untried.push_back(action);
  }
  if (first) {
    std::vector<ActionName> rest(record.ladder.begin() + static_cast<std::ptrdiff_t>(place), record.ladder.end());
    record.ladder.resize(place);
    for (const auto& actions : {untried, rest}) {
      for (const ActionName& action : actions) {
        if (std::find(record.ladder.begin(), record.ladder.end(), action) == record.ladder.end()) {
          record.ladder.push_back(action);
        }
      }
    }
    return;
  }
  for (const ActionName& action : untried) {
    if (std::find(record.ladder.begin(), record.ladder.end(), action) == record.ladder.end()) {
      record.ladder.push_back(action);
    }
  }
}

std::map<std::string, double> Core::values_before(const WatchedService& service) const {
  std::map<std::string, double> out;
  const Scope in = scope(service, std::nullopt);
  const auto keep = [&](const Condition& condition) {
    if (condition.empty()) return;
    for (const Condition::Reference& reference : condition.references()) {
      if (!reference.before) continue;
      Expression expression;
      Measured measured;
      if (const auto* signal = std::get_if<SignalRef>(&reference.to)) {
        expression.node = *signal;
        measured = measurements_.signal(signal->signal, in, now_);
      } else if (const auto* field = std::get_if<FieldRef>(&reference.to)) {
        expression.node = *field;
        measured = measurements_.field(*field, in, now_);
      }
      if (measured.value) out[frozen_key(expression)] = *measured.value;
    }
  };
  for (const RuleSpec& rule : config_.rules) {
    if (rule.service != service.spec.name) continue;
    keep(rule.when);
    if (rule.clear) keep(*rule.clear);
  }
  for (const ActionSpec& action : config_.actions) {
    if (action.verify.when) keep(*action.verify.when);
    for (const StepSpec& step : action.steps) {
      if (const auto* wait = std::get_if<WaitStep>(&step.what)) keep(wait->until);
    }
  }
  return out;
}

}  // namespace rules
