#include "rules/conditions/unit.hpp"
#include "rules/engine/acting/by_hand.hpp"
#include "rules/engine/core.hpp"
#include "rules/engine/told.hpp"

// From a rule that fires to an incident (SPEC 2.19, 2.20).

namespace rules {

void Core::take_edges(Service& service, WatchedRule& rule) {
  if (rule.take_fired()) {
    note_firing(rule);
    if (rule.spec().severity != Severity::p3) service.revisions().bake_anew();
    tell_of_pause(service, rule);
    Incident* incident = service.incident();
    if (incident != nullptr && mode_of(rule.spec(), trouble_.cap()) >= Mode::ask) incident->note_fired();
  }
  service.note_cleared(rule);
  if (rule.take_recovered()) {
    effects_.note("rule_recovered", {{"rule", rule.name().text}, {"service", service.name().text}});
  }
}

// Whoever paused it may be asleep by now (SPEC 2.22).
void Core::tell_of_pause(Service& service, const WatchedRule& rule) {
  const bool would_act = mode_of(rule.spec(), trouble_.cap()) >= Mode::ask;
  if (!service.limits().is_paused() || !would_act || service.incident() != nullptr) return;
  const std::string& name = service.name().text;
  effects_.tell_fault(name + ": " + rule.name().text + " fires, and nothing is done",
                      "The service is paused until " + told(*service.limits().paused_until()) +
                          "; `rollbackd resume --service " + name + "` ends that, " +
                          way_by_hand(service.spec(), config_, service.revisions()) + ".",
                      service.name(), rule.spec().severity);
}

void Core::note_firing(const WatchedRule& rule) {
  const RuleProgress progress = rule.progress(now());
  std::vector<std::pair<std::string, std::string>> fields{{"rule", rule.name().text},
                                                          {"service", rule.spec().service.text},
                                                          {"bad", told(progress.bad)},
                                                          {"for", told(rule.spec().sustain)},
                                                          {"samples", std::to_string(progress.bad_samples)}};
  const Judgement& seen = rule.when();
  if (seen.decisive < seen.comparisons.size()) {
    const Comparison& decisive = seen.comparisons[seen.decisive];
    if (decisive.value.value) fields.emplace_back("value", in_unit(*decisive.value.value, decisive.unit));
    if (decisive.threshold) fields.emplace_back("limit", in_unit(*decisive.threshold, decisive.unit));
  }
  effects_.note("firing", std::move(fields));
}

// A rule that fires is in an incident, withheld, or answered by one that is closed.
void Core::answer_firing(Service& service, WatchedRule& rule) {
  if (rule.is_answered() || service.limits().is_paused()) return;
  if (service.is_called_off(rule)) return rule.mark_answered(true);
  Incident* incident = service.incident();
  // What fires while the outcome is already decided is judged on its own afterwards.
  if (incident != nullptr && incident->answers(rule)) return;
  if (incident != nullptr && !incident->may_be_joined()) return incident->keep_waiting(rule);
  if (incident == nullptr && awaits_identity(service, rule)) return;
  if (service.evidence().withholds(rule)) return;
  neighbours_.fired(service.name(), now(), rule.spec().sustain);
  if (incident != nullptr) {
    incident->join(rule);
  } else {
    open_.emplace(service.open(rule).record().id, &service);
  }
}

// A rule with a short `for` may fire before it was seen that another revision runs, which it would then be held against
// the wrong one. So it waits for a look that began after its evidence did, and for the second one where that saw
// something new: the new revision is then judged on its own. Or where it failed: two say that it cannot be read.
bool Core::awaits_identity(Service& service, WatchedRule& rule) {
  if (!service.spec().has_identity) return false;
  const RuleProgress fired = rule.progress(now());
  const Instant fired_at = fired.since.value_or(now());
  const Revisions& revisions = service.revisions();
  if (!revisions.is_in_doubt() && revisions.last_look() >= fired_at - fired.observed) return false;
  if (now() >= fired_at + identity_wait_max) return false;
  if (service.evidence().take_look_request(rule)) {
    effects_.note("looks_what_runs", {{"rule", rule.name().text}, {"service", service.name().text}});
    effects_.emit(ReadRevision{service.name()});
  }
  return true;
}

}  // namespace rules
