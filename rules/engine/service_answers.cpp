#include <algorithm>

#include "rules/engine/incident/outcomes.hpp"
#include "rules/engine/service.hpp"

// What was refused, aborted or given up, and what has it looked at again (SPEC 2.22).

namespace rules {

void Service::call_off(const IncidentRecord& closed) {
  const Instant now = shared_.measuring.effects.now();
  // What was said of another revision holds no longer; nobody spoke of one that came since.
  if (!call_off_holds()) called_off_.clear();
  called_off_of_ = revisions_.running();
  const bool was_meant = closed.from.empty() || called_off_of_ == closed.from || called_off_of_ == closed.to;
  for (const JoinedRule& joined : closed.rules) {
    if (!was_meant) break;
    WatchedRule* rule = evidence_.find(joined.rule);
    if (rule == nullptr) continue;
    // It recovered while this was still looked at, and is bad again.
    if (rule->is(Verdict::bad)) rule->forget_recovery();
    // Right after a restart of ours, or an action that has its time to help, it does not fire yet.
    if (rule->has_cleared(now)) continue;
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
  const bool is_any_kept = !called_off_.empty() || !refused_.empty();
  if (!is_any_kept || !rule.has_cleared(shared_.measuring.effects.now())) return;
  refused_.erase(rule.name().text);
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
    if (never_switched && closed.outcome == Outcome::action_failed) {
      remember_refusal(closed, joined.rule);
    } else {
      refused_.erase(joined.rule.text);
    }
    const bool lacked_a_target =
        closed.outcome == Outcome::no_target || (!closed.switched && is_given_up(*closed.outcome));
    if (!closed.past_no_return || never_switched || lacked_a_target) {
      unbegun_.emplace(joined.rule.text, *closed.outcome);
    }
  }
}

void Service::remember_refusal(const IncidentRecord& closed, const RuleName& rule) {
  Refusal now{*closed.closed, *closed.closed, closed.severity};
  const auto known = refused_.find(rule.text);
  if (known != refused_.end() && revisions_.running_since() <= known->second.first) now.first = known->second.first;
  refused_[rule.text] = now;
}

bool Service::is_refused(const IncidentRecord& ended) const {
  return ended.outcome == Outcome::action_failed &&
         std::any_of(ended.rules.begin(), ended.rules.end(),
                     [&](const JoinedRule& joined) { return refused_.contains(joined.rule.text); });
}

// That it was the switch itself that could not begin is in the words of its end.
void Service::restore_ended(IncidentRecord ended) {
  if (!ended.switched && ended.outcome_detail.starts_with("switch ")) {
    for (const JoinedRule& joined : ended.rules) {
      if (has_refused(joined.rule, Outcome::action_failed)) remember_refusal(ended, joined.rule);
    }
  }
  unsettled_.restore(std::move(ended));
}

std::optional<Instant> Service::tried_again_at(const RuleName& rule) const {
  const auto found = refused_.find(rule.text);
  if (found == refused_.end() || !readiness.ready || !has_refused(rule, Outcome::action_failed)) return std::nullopt;
  const auto& [first, last, severity] = found->second;
  return last + tried_again_after(severity, last - first);
}

void Service::try_refused_again() {
  if (refused_.empty() || incident_ || limits_.is_paused()) return;
  for (const auto& [name, refusal] : refused_) {
    WatchedRule* rule = evidence_.find(RuleName(name));
    const bool is_waiting = rule != nullptr && rule->is_answered() && rule->is_firing() && rule->is(Verdict::bad);
    if (!is_waiting || is_called_off(*rule)) continue;
    const std::optional<Instant> at = tried_again_at(rule->name());
    if (!at || shared_.measuring.effects.now() < *at) continue;
    shared_.measuring.effects.note("tried_again", {{"rule", name}, {"service", spec_.name.text}});
    evidence_.forget_answer(*rule);
  }
}

void Service::could_be_read() {
  // Of another revision that one look saw the second says whether it is judged on its own.
  if (!revisions_.is_in_doubt()) answer_again(Outcome::unverifiable);
}

void Service::was_started_again() { answer_again(Outcome::aborted); }

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
  if (good == revisions_.running() || revisions_.was_rolled_back()) return;
  for (const Outcome outcome : {Outcome::not_recovered, Outcome::unverifiable, Outcome::action_failed})
    take_up_again(outcome);
  answer_again(Outcome::no_target);
}

// What was given up without a switch, though one could have followed if there had been a target.
void Service::take_up_again(Outcome given_up) {
  const CoreConfig& config = shared_.measuring.config;
  std::erase_if(called_off_, [&](const RuleName& name) {
    const WatchedRule* rule = evidence_.find(name);
    return rule != nullptr && has_refused(name, given_up) &&
           std::any_of(config.actions.begin(), config.actions.end(), [&](const ActionSpec& action) {
             const std::vector<ActionName>& respond = rule->spec().respond;
             return action.switches() && std::find(respond.begin(), respond.end(), action.name) != respond.end();
           });
  });
  answer_again(given_up);
}

// Also while another incident is open: what is looked at again joins it, or waits for its end.
void Service::answer_again(Outcome refused) {
  bool any = false;
  for (auto one = unbegun_.begin(); one != unbegun_.end();) {
    // What is left alone is so whatever it was refused for before.
    const bool is_left_alone =
        std::find(called_off_.begin(), called_off_.end(), RuleName(one->first)) != called_off_.end();
    if (one->second != refused || (is_left_alone && call_off_holds())) {
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

}  // namespace rules
