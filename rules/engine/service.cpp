#include "rules/engine/service.hpp"

#include <algorithm>
#include <utility>

#include "rules/engine/acting/by_hand.hpp"
#include "rules/engine/acting/target.hpp"
#include "rules/engine/incident/outcomes.hpp"
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
  const auto is_gone = [&](const auto& one) { return evidence_.find(RuleName(one.first)) == nullptr; };
  unbegun_.erase_if(is_gone);
  refused_.erase_if(is_gone);
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
  record.before = evidence_.values_before();
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
  record.backup = request.backup;
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
  const bool never_switched = incident_->switch_never_began();
  const bool given_up = closed.past_no_return && !never_switched && is_given_up(*closed.outcome);
  remember_unbegun(closed, never_switched);
  later_.take(closed);
  unsettled_.take(closed);
  if ((closed.aborted || given_up) && !closed.starts_anew) call_off(closed);
  incident_.reset();
  // Also for the next start, which may be the one that finds the cause gone: what was refused, and what steps took.
  save();
}

void Service::tell_of_flapping() {
  const std::optional<Flapping::Found> found = evidence_.take_flapping();
  if (!found) return;
  const std::string text =
      found->text + " " + way_by_hand(spec_, shared_.measuring.config, revisions_) + ". " + found->rule;
  shared_.measuring.effects.tell_fault(found->title, text, spec_.name, found->severity);
}

std::optional<Situation> Service::situation(const IncidentId& incident, Instant at) const {
  if (incident_ && incident_->record().id == incident) return incident_->situation(at);
  const IncidentRecord* ended = unsettled_.find(incident);
  if (ended == nullptr) return std::nullopt;
  Situation out =
      situation_of(*ended, nullptr, evidence_, revisions_, way_by_hand(spec_, shared_.measuring.config, revisions_), at,
                   is_refused(*ended) ? left_by_refusal(ended->severity) : "");
  // Who paused it knows, and an open incident speaks for itself.
  if (limits_.is_paused() || incident_) out.needs_people = false;
  return out;
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
    if (!why_no_backup(action, revisions_, revisions_.running(), "").empty()) continue;
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
  for (const auto& [rule, refusal] : refused_) due.push_back(tried_again_at(RuleName(rule)).value_or(Instant::max()));
  std::optional<Instant> next;
  for (const Instant at : due) {
    if (at == Instant::max() || at <= now) continue;
    if (at < next.value_or(Instant::max())) next = at;
  }
  return next;
}

}  // namespace rules
