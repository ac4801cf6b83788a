#include <algorithm>

#include "judge.hpp"

// A rule that fires is acted on, asked about, or people have been told within a minute that it will not be, with the
// reason and the command that changes it; and what people say in return has it looked at again.

namespace sim {

using namespace rules;

namespace {

constexpr Duration answered_within = 1min;
// An incident is four messages at most, and one of them is its end.
constexpr int heard_before_the_end = 3;
// Of a wait that has a limit: a watcher that stands still, and the look that says what it came to.
constexpr Duration overdue_at_most = 3min;

bool is_firing(RuleState state) { return state == RuleState::firing || state == RuleState::recovering; }

bool says_nothing_is_done(const std::string& text) {
  const auto at = text.find("nothing is done by itself: ");
  return at != std::string::npos && text.find("`rollbackd ", at) != std::string::npos;
}

Mode mode_of_rule(const RuleSpec& rule, Mode cap) {
  Mode mode = rule.severity == Severity::p3 ? Mode::notify : Mode::act;
  if (rule.severity == Severity::p2) mode = Mode::ask;
  return std::min(rule.mode.value_or(mode), cap);
}

bool concerns(const IncidentRecord& record, const RuleName& rule) {
  return std::any_of(record.rules.begin(), record.rules.end(),
                     [&](const JoinedRule& joined) { return joined.rule == rule; });
}

}  // namespace

void Judge::asked(const Watcher& watcher, const Request& request, const Answer& answer) {
  if (!answer.accepted) return;
  if (std::holds_alternative<AcceptState>(request)) unaccepted_.erase(watcher.number());
  if (const auto* x = std::get_if<Approve>(&request)) approved(*x);
  if (const auto* x = std::get_if<Abort>(&request)) {
    Incident& incident = incidents_[x->incident];
    // To a question after the end no is an answer, and changes no outcome.
    incident.aborted = !incident.record.in_flight || incident.record.section == PlanSection::steps;
  }
  if (const auto* x = std::get_if<RollbackByHand>(&request)) {
    by_hand_.insert(answer.incident);
    service(x->service).disturbed = now();
  }
  if (const auto* x = std::get_if<Declare>(&request)) {
    Service& known = service(x->service);
    (x->standing == Standing::good ? known.good : known.bad).insert(x->revision.text);
    (x->standing == Standing::good ? known.bad : known.good).erase(x->revision.text);
    if (x->standing == Standing::bad) {
      known.ran.erase(x->revision.text);
      known.condemned[x->revision.text] = now();
    }
    // A target has what was given up for want of one looked at again.
    if (x->standing == Standing::good) known.held.clear();
  }
  if (const auto* x = std::get_if<FuseReset>(&request)) {
    Service& known = service(x->service);
    known.switches_from.clear();
    known.switches.clear();
    known.mutations.clear();
    known.acted_unnamed = 0;
    known.mutation_ended = Instant::min();
  }
  for (auto& [name, known] : services_) {
    if (const auto* x = std::get_if<Pause>(&request); x != nullptr && (!x->service || x->service->text == name)) {
      known.paused_since = now();
      known.paused_until = now() + x->length;
    }
    if (const auto* x = std::get_if<Resume>(&request); x != nullptr && (!x->service || x->service->text == name)) {
      known.paused_until = Instant::min();
      known.disturbed = now();
    }
  }
}

// A question of the plan, or of the whole.
void Judge::approved(const Approve& request) {
  Incident& incident = incidents_[request.incident];
  if (incident.record.in_flight || incident.in_trouble) incident.answered.insert(incident.record.rung);
  if (!incident.record.in_flight || incident.in_trouble) incident.approved = true;
}

void Judge::told(const Watcher& watcher, const Tell& tell) {
  remember(std::to_string(watcher.number()) + " tells " + std::string(to_string(tell.stage)) + ": " + tell.title);
  sight_told(watcher, tell);
  const auto found = incidents_.find(tell.context.incident);
  if (found == incidents_.end()) return;
  Incident& incident = found->second;
  if (incident.closed && tell.title.find("after it recovered") != std::string::npos) return told_later(tell);
  incident.said.insert(std::string(to_string(tell.stage)));
  if (tell.outcome) incident.said.insert(std::string(to_string(*tell.outcome)));
  if (tell.outcome) incident.end += tell.text;
  if (tell.stage == Stage::ask) incident.asked_at = tell.at;
  // Each step and phase is for those who ask for it; who is woken does not hear of it.
  if (tell.stage == Stage::progress) return;
  ++incident.heard;
  if (says_nothing_is_done(tell.text)) incident.nothing_told_at = tell.at;
  incident.texts += tell.text + "\n";
}

bool Judge::needs_no_answer(const Watcher& watcher, const RuleView& one) const {
  const RuleSpec* of = rule(watcher, one.rule);
  if (!is_firing(one.progress.state) || of == nullptr || of->severity == Severity::p3) return true;
  const Service& known = services_.at(one.service.text);
  if (now() < known.paused_until || watcher.disk() != Disk::well) return true;
  const auto fired = known.fired.find(one.rule);
  // Another trouble explains it.
  return of->unless && (fired == known.fired.end() || now() < fired->second + of->unless_max + answered_within);
}

// Whether more than telling is allowed, as far as can be known.
bool Judge::may_do_something(const Watcher& watcher, const IncidentRecord& open, const RuleSpec& of) {
  const Service& known = services_.at(of.service.text);
  const bool all_tried = !open.ladder.empty() && open.rung >= open.ladder.size();
  if (unaccepted_.contains(watcher.number()) || known.forbidden.contains(open.from.text) || all_tried ||
      known.may_be_forbidden || !known.identity)
    return false;
  // What is not seen bad any more, or not for long, is waited for and not acted on.
  const std::optional<Instant> bad_since = measured(watcher).at(of.name).surely_bad_since();
  if (!bad_since || now() < *bad_since + answered_within) return false;
  return mode_of_rule(of, watcher.config().mode) >= Mode::ask;
}

// Empty: it is answered by its own incident.
std::string Judge::why_unanswered(const Watcher& watcher, const IncidentRecord& open, const RuleSpec& of) {
  const Incident& incident = incidents_[open.id];
  switch (open.phase) {
    case IncidentPhase::held: {
      // For whom is enough: what is wrong with that one, its own incident tells.
      const std::string what = open.waiting_for.substr(0, open.waiting_for.find(", on which it depends, "));
      const bool is_told = !what.empty() && incident.texts.find("waits: " + what) != std::string::npos;
      return is_told || incident.heard >= heard_before_the_end ? "" : "nobody was told what it waits for";
    }
    case IncidentPhase::asking: {
      const bool says_how = incident.texts.find("rollbackd approve") != std::string::npos;
      return incident.asked_at >= open.phase_since && says_how ? "" : "nobody was asked";
    }
    case IncidentPhase::telling:
      // Once is enough where nothing else was said since.
      if (incident.nothing_told_at <= incident.asked_at) return "nobody was told that nothing is done, and what can be";
      return may_do_something(watcher, open, of) ? "nothing is done about it, though it may be" : "";
    case IncidentPhase::acting:
    case IncidentPhase::settling:
    case IncidentPhase::verifying:
    case IncidentPhase::finishing:
    case IncidentPhase::closed:
      return "";
  }
  return "";
}

// An incident that ended since the rule fired, if what it ended with is still so.
bool Judge::is_answer(const Incident& incident, const RuleName& name) const {
  const IncidentRecord& record = incident.record;
  if (!incident.closed || !record.outcome || !concerns(record, name)) return false;
  const Service& known = services_.at(record.service.text);
  const auto fired = known.fired_for.find(name);
  // That it is still bad is what this end says, of all that fired until then.
  const bool says_so = record.outcome == Outcome::not_recovered;
  const Instant decided = says_so ? *incident.closed : incident.decided.value_or(*incident.closed);
  if (fired != known.fired_for.end() && decided < fired->second && !is_held(incident, name)) return false;
  const auto overtaken = known.overtaken.find(*record.outcome);
  const bool is_overtaken = overtaken != known.overtaken.end() && decided < overtaken->second;
  if (is_overtaken && !is_held(incident, name)) return false;
  // Judged on its own is only what runs.
  if (record.outcome == Outcome::superseded && known.identity && known.looked == record.from.text) return false;
  if (!incident.said.contains(std::string(to_string(*record.outcome)))) return false;
  const bool went_well = record.outcome == Outcome::recovered || record.outcome == Outcome::superseded ||
                         record.outcome == Outcome::cleared || record.outcome == Outcome::notified ||
                         record.outcome == Outcome::observed;
  return went_well || incident.end.find("`rollbackd ") != std::string::npos;
}

void Judge::check_answered(const Watcher& watcher, const EngineView& view, const RuleView& one) {
  std::string why;
  if (!needs_no_answer(watcher, one)) {
    const auto& all = view.open_incidents;
    const auto open = std::find_if(all.begin(), all.end(), [&](const IncidentRecord& record) {
      return record.service == one.service && concerns(record, one.rule);
    });
    const auto another = std::find_if(all.begin(), all.end(),
                                      [&](const IncidentRecord& record) { return record.service == one.service; });
    // It fires while another incident of the service ends, which people are told, or while a person changes what runs.
    const bool waits =
        another != all.end() && (incidents_[another->id].texts.find("rule " + one.rule.text) != std::string::npos ||
                                 (another->by_hand && another->switched && another->phase == IncidentPhase::acting));
    const bool ended = std::any_of(incidents_.begin(), incidents_.end(),
                                   [&](const auto& entry) { return is_answer(entry.second, one.rule); });
    if (open != all.end()) {
      why = why_unanswered(watcher, *open, *rule(watcher, one.rule));
    } else if (!waits && !ended) {
      why = "nobody was told what is done about it";
    }
  }
  if (why.empty()) {
    unanswered_since_.erase(one.rule);
    return;
  }
  const Instant since = unanswered_since_.emplace(one.rule, now()).first->second;
  if (now() - since > answered_within) breach("rule " + one.rule.text + " fires for a minute and " + why);
}

namespace {

bool has(const std::vector<ActionName>& response, const std::vector<ActionName>& ladder, std::size_t rung) {
  return rung < ladder.size() && std::find(response.begin(), response.end(), ladder[rung]) != response.end();
}

}  // namespace

// For longer than anything may be late: what the severest rule, which joined, responds with is next, and what has its
// time to help is no part of that.
bool Judge::waits_for_less(const Watcher& watcher, const IncidentRecord& open) {
  const JoinedRule* severest = nullptr;
  for (const JoinedRule& joined : open.rules) {
    if (severest == nullptr || joined.severity < severest->severity) severest = &joined;
  }
  if (severest == nullptr || severest == &open.rules.front() || open.pending_outcome) return false;
  const RuleSpec* of = rule(watcher, severest->rule);
  if (of == nullptr || mode_of_rule(*of, watcher.config().mode) < Mode::act) return false;
  const std::optional<Instant> bad_since = measured(watcher).at(of->name).surely_bad_since();
  if (!bad_since || now() < *bad_since + overdue_at_most) return false;
  const Instant since = std::max({severest->joined, open.phase_since, began_at_.at(watcher.number())});
  return now() > since + overdue_at_most && has(of->respond, open.ladder, open.rung + 1) &&
         !has(of->respond, open.ladder, open.rung);
}

// What has a limit ends.
void Judge::check_waiting(const Watcher& watcher, const IncidentRecord& open) {
  const ServiceSpec* of = spec(watcher, open.service);
  if (of == nullptr) return;
  Duration longest{};
  for (const RuleSpec& one : watcher.config().rules) {
    if (one.service == open.service) longest = std::max(longest, one.sustain);
  }
  check_waits_for(watcher, open);
  if (open.phase == IncidentPhase::settling && waits_for_less(watcher, open))
    breach("incident " + open.id.text + ": a more severe rule waits for what an earlier action may help");
  std::optional<Duration> limit;
  if (open.phase == IncidentPhase::asking) limit = of->ask_timeout;
  if (open.phase == IncidentPhase::settling) limit = 10min;
  if (open.phase == IncidentPhase::verifying) limit = of->start_deadline + 5min + 2 * longest;
  if (!limit) return;
  // Who came back has seen nothing meanwhile, and has the time anew; four times at most.
  const bool looks_on = open.phase == IncidentPhase::settling || open.phase == IncidentPhase::verifying;
  const Instant again = std::min(began_at_[watcher.number()], open.phase_since + 3 * *limit);
  const Instant from = looks_on ? std::max(open.phase_since, again) : open.phase_since;
  if (now() <= from + *limit + overdue_at_most) return;
  breach("incident " + open.id.text + " is " + std::string(to_string(open.phase)) + " for longer than it may be");
}

// What a step follows: a wait that is over, a question that was answered, nothing that failed and must not.
void Judge::check_step(const Watcher& watcher, const Perform& command, const Incident& incident) {
  if (command.id.attempt > command.step.retry) breach("a step is tried more often than it may be");
  const ActionSpec* action = plan(watcher, incident.record, command.id.rung);
  const bool is_known = action != nullptr && action->fingerprint() == incident.record.plan_fingerprint;
  if (command.id.section != PlanSection::steps || !is_known || command.id.step > action->steps.size()) return;
  const ServiceSpec& of = *spec(watcher, command.context.service);
  for (std::size_t i = 0; i < command.id.step; ++i) {
    const StepSpec& before = action->steps[i];
    const bool is_answered = incident.answered.contains(command.id.rung) || of.ask_then == AskThen::act;
    if (std::holds_alternative<AskStep>(before.what) && !is_answered) breach("nobody said yes to what the plan asks");
    std::optional<StepRecord> last;
    for (int attempt = 0; attempt <= before.retry; ++attempt) {
      const auto tried = watcher.journal().step({command.id.incident, command.id.rung, PlanSection::steps, i, attempt});
      if (tried) last = tried;
    }
    const bool failed = last && (last->status == StepStatus::failed || last->status == StepStatus::timed_out);
    if (failed && before.on_failure == OnFailure::abort) breach("a plan goes on after " + last->text + " failed");
  }
  if (command.id.step == 0) return;
  const auto* wait = std::get_if<WaitStep>(&action->steps[command.id.step - 1].what);
  if (wait == nullptr) return;
  const auto up = up_since_.find(ProbeName(command.context.service.text + "_health"));
  if (up == up_since_.end() || now() + 1s < up->second + wait->hold)
    breach("a plan does not wait for what it waits for");
}

}  // namespace sim
