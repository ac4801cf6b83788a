#include "watcher/serve/explain.hpp"

#include <fmt/format.h>

#include <chrono>

#include "rules/base/parse.hpp"
#include "rules/engine/incident/outcomes.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/times.hpp"
#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

// To the second: nobody reads nanoseconds.
std::string length(rules::Duration duration) {
  return rules::to_string(std::chrono::round<std::chrono::seconds>(duration));
}

std::string measured_text(const rules::Comparison& comparison) {
  const rules::Measured& measured = comparison.value;
  if (comparison.left_out) return "left out: there is no baseline";
  if (!measured.value) {
    const std::string detail = measured.detail.empty() ? "" : ": " + measured.detail;
    return fmt::format("unknown ({}{})", rules::to_string(measured.cause), detail);
  }
  std::string text = number_text(*measured.value, comparison.unit);
  if (measured.approximate && comparison.verdict == rules::Verdict::unknown) {
    text = fmt::format("unknown ({}: {})", rules::to_string(measured.cause), measured.detail);
  } else if (measured.approximate) {
    text += " (approximate)";
  }
  if (comparison.threshold) text += " against " + number_text(*comparison.threshold, comparison.unit);
  if (measured.count > 0) text += fmt::format(", from {:.0f} in {}", measured.count, length(measured.window));
  return text;
}

std::string evidence_text(const std::vector<rules::Comparison>& comparisons) {
  std::string text;
  for (const rules::Comparison& comparison : comparisons) {
    text += fmt::format("    {}  is {}: {}\n", comparison.text, rules::to_string(comparison.verdict),
                        measured_text(comparison));
  }
  return text;
}

std::string verdict_text(const rules::Judgement& judgement) {
  if (judgement.verdict != rules::Verdict::unknown) return std::string(rules::to_string(judgement.verdict));
  const std::string detail = judgement.detail.empty() ? "" : ": " + judgement.detail;
  return fmt::format("unknown ({}{})", rules::to_string(judgement.cause), detail);
}

std::string progress_text(const rules::RuleView& rule) {
  const rules::RuleProgress& progress = rule.progress;
  const std::string held =
      fmt::format("bad for {} of {} observed, {} of it needed, in {} bad samples", length(progress.bad),
                  length(progress.observed), length(rule.sustain), progress.bad_samples);
  const std::string since = progress.since ? " since " + to_rfc3339(*progress.since) : "";
  switch (progress.state) {
    case rules::RuleState::idle:
      return "not bad";
    case rules::RuleState::pending:
      return held + since + "; fires in " + length(progress.to_fire.value_or(rule.sustain)) + " if it stays bad";
    case rules::RuleState::confirming:
      return held + since + "; waits for a last poll that confirms it";
    case rules::RuleState::firing:
      return "fires" + since + "; " + held;
    case rules::RuleState::recovering:
      return "fires" + since + ", is clear but not yet for long enough";
  }
  return "";
}

std::string joined_text(const rules::JoinedRule& joined) {
  const rules::Duration bad(joined.bad_ns);
  const rules::Duration sustain(joined.for_ns);
  return fmt::format("  {} ({}) joined {}: bad for {} ({} needed), in {} bad samples\n{}", joined.rule.text,
                     rules::to_string(joined.severity), to_rfc3339(joined.joined), length(bad), length(sustain),
                     joined.samples, evidence_text(joined.evidence));
}

std::string later_text(const rules::LaterCheck& check) {
  std::string text = fmt::format("  {}", to_rfc3339(check.due));
  if (!check.when.empty()) text += " " + check.when;
  if (check.end == rules::LaterEnd::waits) {
    text += ": not yet";
  } else {
    text += fmt::format(": {}", rules::to_string(check.end));
  }
  return text + (check.text.empty() ? "\n" : "; until then: " + check.text + "\n");
}

std::string step_text(const rules::StepRecord& step) {
  std::string text = fmt::format("  {} {}: {}", to_rfc3339(step.started), step.text, rules::to_string(step.status));
  if (step.exit_code) text += fmt::format(" ({})", *step.exit_code);
  if (!step.detail.empty()) text += ": " + step.detail;
  return text + "\n";
}

// With its reason, and what changes that.
std::string said_of_nothing(const rules::IncidentRecord& incident) {
  const auto& lines = incident.timeline;
  const auto newest =
      std::find_if(lines.rbegin(), lines.rend(), [](const auto& line) { return line.event == "telling"; });
  if (newest == lines.rend() || newest->text.find("nothing is done") != 0) return "nothing is done by itself";
  return newest->text.substr(0, newest->text.find("; `rollbackd rollback "));
}

}  // namespace

std::string next_step(const rules::IncidentRecord& incident) {
  const std::string& id = incident.id.text;
  const std::string until = incident.deadline ? ", at most until " + to_rfc3339(*incident.deadline) : "";
  const std::string by_hand = "rollbackd rollback " + incident.service.text + " acts now, rollbackd abort " + id;
  if (rules::is_seen_out(incident))
    return "is aborted, and the step that runs is finished first" + until + "; what ends it: rollbackd abort --kill " +
           id;
  switch (incident.phase) {
    case rules::IncidentPhase::asking:
      return "waits for a person" + until + ": rollbackd approve " + id + ", or rollbackd abort " + id;
    case rules::IncidentPhase::telling:
      return said_of_nothing(incident) + "; " + by_hand + " closes it";
    case rules::IncidentPhase::held:
      return "waits" + (incident.waiting_for.empty() ? "" : " (" + incident.waiting_for + ")") +
             " and goes on by itself; " +
             (incident.by_hand || incident.past_no_return ? "rollbackd abort " + id : by_hand) + " stops it";
    case rules::IncidentPhase::finishing:
      return "its last steps run; nobody has to do anything";
    case rules::IncidentPhase::acting:
    case rules::IncidentPhase::settling:
    case rules::IncidentPhase::verifying:
      return "goes on by itself" + until + "; what stops it: rollbackd abort " + id;
    case rules::IncidentPhase::closed:
      return "";
  }
  return "";
}

std::string explain_rule(const rules::RuleView& rule) {
  std::string text = fmt::format("rule {} of {} ({}): {}\n", rule.rule.text, rule.service.text,
                                 rules::to_string(rule.severity), rules::to_string(rule.progress.state));
  text += fmt::format("  when {} for {}\n", rule.condition, length(rule.sustain));
  text += fmt::format("  now {}\n{}", verdict_text(rule.judgement), evidence_text(rule.judgement.comparisons));
  text += fmt::format("  {}\n", progress_text(rule));
  if (rule.progress.blind) {
    text +=
        fmt::format("  blind: only {:.0f} % of the last while could be observed\n", rule.progress.observed_share * 100);
  }
  for (const std::string& why : rule.missing) text += fmt::format("  does not act: {}\n", why);
  return text;
}

std::string explain_incident(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps) {
  std::string state = incident.outcome ? std::string(rules::to_string(*incident.outcome)) : "open, ";
  if (!incident.outcome) state += rules::to_string(incident.phase);
  std::string text = fmt::format("incident {} of {} ({}): {}\n", incident.id.text, incident.service.text,
                                 rules::to_string(incident.severity), state);
  text += fmt::format("  opened {}", to_rfc3339(incident.opened));
  if (incident.closed) text += fmt::format(", closed {}", to_rfc3339(*incident.closed));
  text += "\n  from " + (incident.from.empty() ? std::string("unknown") : incident.from.text);
  text += incident.to.empty() ? "; no target was chosen\n" : " to " + incident.to.text + "\n";
  if (incident.by_hand) text += fmt::format("  by hand: {}\n", incident.reason);
  for (const rules::JoinedRule& joined : incident.rules) text += joined_text(joined);
  if (!incident.waiting_for.empty()) text += fmt::format("  waits for: {}\n", incident.waiting_for);
  if (!incident.outcome_detail.empty()) text += fmt::format("  {}\n", incident.outcome_detail);
  text += times_text(incident, steps);
  if (!incident.later.empty()) text += "looked at later\n";
  for (const rules::LaterCheck& check : incident.later) text += later_text(check);
  if (!incident.timeline.empty()) text += "what happened\n";
  for (const rules::TimelineEntry& entry : incident.timeline) {
    text += fmt::format("  {} {}: {}\n", to_rfc3339(entry.at), entry.event, entry.text);
  }
  if (!steps.empty()) text += "steps\n";
  for (const rules::StepRecord& step : steps) text += step_text(step);
  if (!incident.outcome) text += "now: " + next_step(incident) + "\n";
  return text;
}

}  // namespace watcher
