#include "rules/engine/service.hpp"

#include <algorithm>
#include <utility>

#include "rules/engine/acting/target.hpp"
#include "rules/engine/incident/summary.hpp"

namespace rules {

Service::Service(const ServiceSpec& spec, const Shared& shared)
    : spec_(spec),
      shared_(shared),
      limits_(spec_, shared_.fuse, shared_.measuring.effects, [this] { save(); }),
      evidence_(spec_, shared_.measuring),
      revisions_(spec_, {shared_.ledger, evidence_, limits_, shared_.measuring.effects, [this] { save(); }}),
      later_({spec_, shared_.measuring.config, evidence_, revisions_, shared_.measuring.effects, [this] { save(); }}),
      unsettled_({evidence_, revisions_, shared_.measuring.effects, [this] { save(); }}) {
  shared_.neighbours.know(spec_, &evidence_);
}

// Its record is put together from the rooms that own its parts.
void Service::save() const {
  ServiceRecord record;
  record.service = spec_.name;
  limits_.put_into(record);
  revisions_.put_into(record);
  record.unbegun = unbegun_;
  record.later = later_.incidents();
  record.unsettled = unsettled_.incidents();
  record.usual = usual_.records();
  if (call_off_holds()) record.called_off = called_off_;
  record.called_off_at = called_off_at_;
  shared_.measuring.effects.save(std::move(record));
}

void Service::configure(const ServiceSpec& spec) {
  spec_ = spec;
  shared_.neighbours.know(spec_, &evidence_);
  evidence_.watch();
  revisions_.watch();
  std::erase_if(unbegun_, [&](const auto& one) { return evidence_.find(RuleName(one.first)) == nullptr; });
}

Surroundings Service::surroundings() {
  const Measuring& measuring = shared_.measuring;
  return {
      measuring.config, spec_,  measuring.trouble, shared_.neighbours, evidence_,         revisions_, limits_, later_,
      dependence_,      usual_, shared_.host,      measuring.effects,  shared_.steps_held};
}

IncidentRecord Service::begin_record(const std::string& what) {
  const Instant now = shared_.measuring.effects.now();
  IncidentRecord record;
  record.id = shared_.ids.take(now, spec_.name, what);
  record.service = spec_.name;
  record.opened = now;
  record.phase_since = now;
  record.from = revisions_.running();
  record.before = evidence_.values_before(shared_.measuring.config.actions);
  evidence_.remember_before(record.before);
  return record;
}

Incident& Service::keep(std::unique_ptr<Incident> incident) {
  incident_ = std::move(incident);
  return *incident_;
}

Incident& Service::open(const WatchedRule& rule) {
  Incident& opened = keep(
      std::make_unique<Incident>(surroundings(), begin_record(rule.name().text), shared_.measuring.config.actions));
  opened.open(rule);
  return opened;
}

// A deployment by hand rather than a rollback: what is left for it did no harm. What never ran may be older or newer.
bool Service::goes_forward(const Revision& to) const {
  const LedgerRecord* target = revisions_.find(to);
  const LedgerRecord* running = revisions_.running_record();
  const bool both_ran = target != nullptr && running != nullptr && target->last_seen != Instant();
  return both_ran && target->appeared > running->appeared && !evidence_.is_any_bad();
}

Incident& Service::open_by_hand(const RollbackByHand& request, const ActionSpec& plan, const Revision& to) {
  IncidentRecord record = begin_record("by-hand");
  record.severity = Severity::p1;
  record.by_hand = true;
  record.force = request.force;
  record.reason = request.reason;
  record.approved_by = request.by;
  record.to = to;
  record.forward = goes_forward(to);
  record.ladder = {plan.name};
  Incident& opened = keep(std::make_unique<Incident>(surroundings(), std::move(record), std::vector{plan}));
  opened.open_by_hand();
  return opened;
}

Incident& Service::take_up(IncidentRecord record, const std::vector<ActionSpec>& plans) {
  // What fires and is not part of it is still to be answered.
  for (WatchedRule* rule : evidence_.firing()) rule->mark_answered(false);
  for (const JoinedRule& joined : record.rules) {
    shared_.neighbours.had_fired(spec_.name, joined.joined, Duration(joined.for_ns));
  }
  return keep(std::make_unique<Incident>(surroundings(), std::move(record), plans));
}

void Service::forget_incident() {
  const IncidentRecord& closed = incident_->record();
  remember_unbegun(closed, incident_->switch_never_began());
  later_.take(closed);
  unsettled_.take(closed);
  if (closed.aborted && !closed.starts_anew) call_off(closed);
  incident_.reset();
  // Also for the next start, which may be the one that finds the cause gone: what was refused, and what steps took.
  save();
}

std::optional<Situation> Service::situation(const IncidentId& incident, Instant at) const {
  if (incident_ && incident_->record().id == incident) return incident_->situation(at);
  const IncidentRecord* ended = unsettled_.find(incident);
  if (ended == nullptr) return std::nullopt;
  Situation out = situation_of(*ended, nullptr, evidence_, revisions_, at);
  // Who paused it knows, and an open incident speaks for itself.
  if (limits_.is_paused() || incident_) out.needs_people = false;
  return out;
}

void Service::call_off(const IncidentRecord& closed) {
  const Instant now = shared_.measuring.effects.now();
  // What was said of another revision holds no longer; nobody spoke of one that came since.
  if (!call_off_holds()) called_off_.clear();
  called_off_of_ = revisions_.running();
  const bool was_meant = closed.from.empty() || called_off_of_ == closed.from || called_off_of_ == closed.to;
  for (const JoinedRule& joined : closed.rules) {
    if (!was_meant) break;
    const WatchedRule* rule = evidence_.find(joined.rule);
    // Right after a restart of ours, or an action that has its time to help, it does not fire yet.
    if (rule == nullptr || rule->has_cleared(now)) continue;
    // What only became bad after that, and fires, is judged on its own.
    const Instant bad_since = rule->progress(now).bad_since.value_or(*closed.decided);
    if (rule->is_firing() && bad_since > *closed.decided) continue;
    if (std::find(called_off_.begin(), called_off_.end(), joined.rule) == called_off_.end())
      called_off_.push_back(joined.rule);
  }
  called_off_at_ = closed.decided;
  save();
}

// By its name: when a revision came is known only to between two looks.
bool Service::call_off_holds() const {
  return called_off_at_ && revisions_.running_since() <= *called_off_at_ && revisions_.running() == called_off_of_;
}

bool Service::is_called_off(const WatchedRule& rule) const {
  return call_off_holds() && std::find(called_off_.begin(), called_off_.end(), rule.name()) != called_off_.end();
}

void Service::note_cleared(const WatchedRule& rule) {
  if (called_off_.empty() || !rule.has_cleared(shared_.measuring.effects.now())) return;
  if (std::erase(called_off_, rule.name()) > 0) save();
}

void Service::limits_start_anew() {
  limits_.reset();
  revisions_.forget_switches();
  called_off_.clear();
  save();
  // What fires and was refused for a limit is looked at again.
  evidence_.forget_answers();
  if (incident_) incident_->limits_started_anew();
}

void Service::restore_answers(const ServiceRecord& record) {
  unbegun_ = record.unbegun;
  usual_.restore(record.usual);
  called_off_ = record.called_off;
  called_off_at_ = record.called_off_at;
  called_off_of_ = record.running;
}

void Service::remember_unbegun(const IncidentRecord& closed, bool never_switched) {
  for (const JoinedRule& joined : closed.rules) {
    unbegun_.erase(joined.rule.text);
    if (!closed.past_no_return || never_switched || closed.outcome == Outcome::no_target) {
      unbegun_.emplace(joined.rule.text, *closed.outcome);
    }
  }
}

void Service::could_be_read() {
  // Of another revision that one look saw the second says whether it is judged on its own.
  if (!revisions_.is_in_doubt()) answer_again(Outcome::unverifiable);
}

void Service::could_be_rolled_back() {
  answer_again(Outcome::action_failed);
  // That a plan's name meant nothing was in the way as well.
  if (!revisions_.was_rolled_back() && has_target()) answer_again(Outcome::no_target);
}

bool Service::has_ended(Outcome outcome) const {
  return std::any_of(unbegun_.begin(), unbegun_.end(), [&](const auto& one) { return one.second == outcome; });
}

bool Service::has_refused(const RuleName& rule, Outcome outcome) const {
  const auto found = unbegun_.find(rule.text);
  return found != unbegun_.end() && found->second == outcome;
}

bool Service::lacks(const DeployMark& mark) const {
  if (incident_ || !has_ended(Outcome::no_target) || mark.kind != MarkKind::mark || mark.backup.empty()) return false;
  const LedgerRecord* running = revisions_.running_record();
  return running != nullptr && running->backup.empty() && mark.revision == running->revision;
}

void Service::has_new_target(const Revision& good) {
  if (good != revisions_.running() && !revisions_.was_rolled_back()) answer_again(Outcome::no_target);
}

// Also while another incident is open: what is looked at again joins it, or waits for its end.
void Service::answer_again(Outcome refused) {
  bool any = false;
  for (auto one = unbegun_.begin(); one != unbegun_.end();) {
    if (one->second != refused) {
      ++one;
      continue;
    }
    WatchedRule* rule = evidence_.find(RuleName(one->first));
    const bool is_open = rule != nullptr && incident_ && incident_->answers(*rule);
    if (rule != nullptr && rule->is_firing() && !is_open) evidence_.forget_answer(*rule);
    one = unbegun_.erase(one);
    any = true;
  }
  if (any) save();
}

// Of what its rules respond with; where none of that switches, of a rollback by hand.
bool Service::has_target() const {
  if (!spec_.has_identity) return true;
  const CoreConfig& config = shared_.measuring.config;
  bool switches = false;
  for (const ActionSpec& action : config.actions) {
    const SwitchStep* const step = action.switch_step();
    const bool responds = std::any_of(config.rules.begin(), config.rules.end(), [&](const RuleSpec& rule) {
      return rule.service == spec_.name &&
             std::find(rule.respond.begin(), rule.respond.end(), action.name) != rule.respond.end();
    });
    if (step == nullptr || !responds) continue;
    switches = true;
    if (!why_no_backup(action, revisions_, revisions_.running()).empty()) continue;
    if (chosen_target(*step, revisions_.running(), revisions_).revision) return true;
  }
  return !switches && revisions_.last_good(revisions_.running()).has_value();
}

void Service::end_pause() {
  limits_.end_pause();
  // What was bad while nothing was to be done is no reason to act; what was seen to be good was good all the same.
  evidence_.restart_spans(Leaves::good_run);
  shared_.measuring.effects.note("resumed", {{"service", spec_.name.text}});
}

std::optional<Instant> Service::next_deadline(std::vector<Instant>& due) const {
  const Instant now = shared_.measuring.effects.now();
  due.clear();
  due.push_back(evidence_.next_change());
  revisions_.add_deadlines(due);
  limits_.add_deadlines(due);
  later_.add_deadlines(due);
  if (incident_) incident_->add_deadlines(due);
  std::optional<Instant> next;
  for (const Instant at : due) {
    if (at == Instant::max() || at <= now) continue;
    if (at < next.value_or(Instant::max())) next = at;
  }
  return next;
}

}  // namespace rules
