#include "rules/engine/missing.hpp"

#include <algorithm>

#include "rules/engine/acting/target.hpp"

#include "rules/engine/told.hpp"

namespace rules {

namespace {

using Sentences = std::vector<std::string>;

void of_evidence(const WatchedRule& rule, const RuleProgress& progress, Sentences& out) {
  const Judgement& seen = rule.when();
  if (seen.verdict == Verdict::unknown) {
    out.push_back("unknown: " + std::string(to_string(seen.cause)) + (seen.detail.empty() ? "" : ", " + seen.detail));
  }
  if (seen.verdict == Verdict::good && progress.state == RuleState::idle) out.push_back("it is good");
  if (!rule.is_firing() && progress.bad > Duration::zero()) {
    out.push_back("bad for " + told(progress.bad) + " of " + told(rule.spec().sustain));
  }
  constexpr std::int64_t bad_samples_min = 3;
  const bool few = !rule.is_firing() && progress.bad_samples > 0 && progress.bad_samples < bad_samples_min;
  if (few) {
    const std::int64_t more = bad_samples_min - progress.bad_samples;
    out.push_back("needs " + std::to_string(more) + " more bad sample" + (more == 1 ? "" : "s"));
  }
  if (progress.state == RuleState::confirming) out.push_back("is being confirmed by one more poll");
}

std::string reminded(const Service& service, const RuleName& rule) {
  const IncidentRecord* ended = service.unsettled().about(rule);
  return ended == nullptr ? "" : "; people are reminded of it, which `rollbackd ack " + ended->id.text + "` ends";
}

// Where its switch was refused.
std::string tried_again(const Service& service, const RuleName& rule) {
  if (const std::optional<Instant> at = service.tried_again_at(rule)) return "by itself from " + told(*at) + " on, ";
  const bool waits = !service.readiness.ready && service.has_refused(rule, Outcome::action_failed);
  return waits ? "when it could be rolled back again, " : "";
}

// What would let it be begun that was refused for want of it.
std::string wanted(const Service& service, const WatchedRule& rule) {
  if (!service.has_refused(rule.name(), Outcome::no_target)) return "";
  const Revision& running = service.revisions().running();
  const std::vector<ActionName>& respond = rule.spec().respond;
  for (const ActionSpec& action : service.config().actions) {
    if (std::find(respond.begin(), respond.end(), action.name) == respond.end()) continue;
    const SwitchStep* const step = action.switch_step();
    const bool follows = step != nullptr && step->kind == SwitchTargetKind::at_backup;
    if (!follows && why_no_backup(action, service.revisions(), running, "").empty()) continue;
    return "when `rollbackd deploy mark " + running.text + " --service " + service.name().text +
           " --backup BACKUP` names the backup that was made before it, ";
  }
  return "when `rollbackd deploy good REVISION` names a target, ";
}

void of_answer(const Service& service, const WatchedRule& rule, const RuleProgress& progress, Instant now,
               Sentences& out) {
  const std::optional<Instant> withheld = rule.withheld_until();
  if (withheld && now < *withheld) {
    out.push_back("nothing is done while " + rule.withheld_by() + " explains it (unless), at most until " +
                  told(*withheld));
  }
  if (!rule.is_firing()) return;
  if (rule.is_answered()) {
    return out.push_back("its incident is closed; it is looked at again " + tried_again(service, rule.name()) +
                         "once it was good, when another revision runs, " + wanted(service, rule) +
                         "or after `rollbackd fuse reset " + service.name().text + "`" +
                         reminded(service, rule.name()));
  }
  const Instant patience_ends = progress.since.value_or(now) + identity_wait_max;
  if (rule.looks_what_runs() && service.incident() == nullptr && now < patience_ends) {
    out.push_back("waits for a look at what runs, at most until " + told(patience_ends));
  }
}

// " (to v1)", where the action would switch and something is known to switch to.
std::string to_target(const Service& service, const ActionName& name) {
  const std::vector<ActionSpec>& actions = service.config().actions;
  const auto found =
      std::find_if(actions.begin(), actions.end(), [&](const ActionSpec& action) { return action.name == name; });
  const SwitchStep* const step = found == actions.end() ? nullptr : found->switch_step();
  if (step == nullptr || !service.spec().has_identity) return "";
  const Target to = chosen_target(*step, service.revisions().running(), service.revisions());
  return to.revision ? " (to " + to.revision->text + ")" : " (which has no target: " + to.why_not + ")";
}

// What it is kept from.
std::string without_observing(const Service& service, const WatchedRule& rule) {
  const Incident* incident = service.incident();
  if (incident != nullptr && incident->has_joined(rule.name()) && !incident->record().would_have_done.empty())
    return "it " + incident->record().would_have_done;
  RuleSpec freed = rule.spec();
  freed.mode.reset();
  const Mode mode = mode_of(freed, Mode::act);
  if (mode < Mode::ask) return "would only be told without it, too";
  const std::string action = "action " + freed.respond.front().text + to_target(service, freed.respond.front());
  return "nothing is done; without it " +
         (mode == Mode::ask ? "people would be asked about " + action : action + " would be run");
}

void of_mode(const Service& service, const WatchedRule& rule, Mode cap, Sentences& out) {
  switch (mode_of(rule.spec(), cap)) {
    case Mode::observe:
      return out.push_back("mode observe: " + without_observing(service, rule));
    case Mode::notify:
      return out.push_back("would only be told");
    case Mode::ask:
      return out.push_back("would ask");
    case Mode::act:
      if (!service.revisions().is_armed()) out.push_back("disarmed: would ask");
      return;
  }
}

}  // namespace

std::vector<std::string> missing(const Service& service, const WatchedRule& rule, Mode cap, Instant now) {
  Sentences out;
  const RuleProgress progress = rule.progress(now);
  const Limits& limits = service.limits();
  of_evidence(rule, progress, out);
  of_answer(service, rule, progress, now, out);
  if (limits.is_paused()) out.push_back("paused until " + told(*limits.paused_until()));
  of_mode(service, rule, cap, out);
  if (const std::optional<Instant> cooling = limits.cooling_until()) {
    out.push_back("cooldown until " + told(*cooling));
  }
  if (service.revisions().is_preexisting(rule.name())) out.push_back("was bad before this revision came: would ask");
  const std::string& unreadable = service.revisions().readability().why_not();
  if (!unreadable.empty()) out.push_back(unreadable);
  const std::string blown = why_fused(service);
  if (!blown.empty()) out.push_back("fused: " + blown);
  const Incident* incident = service.incident();
  const bool is_bad = rule.is_firing() || progress.state != RuleState::idle;
  if (incident == nullptr && is_bad && service.dependence().explains()) {
    out.push_back("would wait: " + service.dependence().trouble().what);
  }
  if (incident != nullptr && !incident->record().waiting_for.empty()) {
    out.push_back("waits: " + incident->record().waiting_for);
  }
  return out;
}

std::string why_fused(const Service& service) {
  const Incident* incident = service.incident();
  if (incident != nullptr && incident->record().past_no_return) return "";
  const Limits& limits = service.limits();
  if (limits.has_acted_unidentified()) return std::string(acted_unidentified_text);
  return limits.blown(service.revisions().running_record(), service.spec().has_driver);
}

}  // namespace rules
