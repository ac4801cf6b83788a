#include <algorithm>

#include "rules/engine/incident/outcomes.hpp"
#include "rules/incidents/story.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/story.hpp"
#include "watcher/report/text.hpp"

// What an incident leaves to people.

namespace watcher {

namespace {

using rules::Outcome;

std::string code(std::string_view text) { return markdown_code(text, Place::paragraph); }

std::string command(const std::string& text) { return code("rollbackd " + text); }

bool has_failed(const rules::StepRecord& step) {
  return step.status == rules::StepStatus::failed || step.status == rules::StepStatus::timed_out ||
         step.status == rules::StepStatus::interrupted;
}

// The last one of the plan's steps, or of those that finish it; empty: none.
std::string failed_step(const ReportInput& input, bool finishing) {
  for (auto step = input.steps.rbegin(); step != input.steps.rend(); ++step) {
    if (has_failed(*step) && (step->id.section != rules::PlanSection::steps) == finishing)
      return code(step->text) + " (" + enumerator_name(step->status) + ")";
  }
  return "";
}

std::string failed_step(const ReportInput& input) {
  const std::string step = failed_step(input, false);
  return step.empty() ? "a step" : step;
}

// What was to follow once it worked again did not.
bool works_but_is_unfinished(const ReportInput& input) {
  const rules::IncidentRecord& incident = input.incident;
  return rules::was_verified(incident) && incident.failed && !failed_step(input, true).empty();
}

bool is_switched(const ReportInput& input) {
  return std::any_of(input.steps.begin(), input.steps.end(), [](const rules::StepRecord& step) {
    return step.kind == "switch" && step.status == rules::StepStatus::succeeded;
  });
}

// Never one that would be refused: what was switched to runs already, and what is quarantined is no target.
std::string by_hand(const ReportInput& input) {
  const rules::IncidentRecord& incident = input.incident;
  if (incident.switched && incident.to.empty()) return command("rollback " + incident.service.text);
  const rules::LedgerRecord* const known = ledger_entry(input, incident.to);
  const bool is_bad = known != nullptr && known->standing == rules::Standing::bad;
  const bool is_there = incident.outcome != Outcome::wrong_revision && is_switched(input);
  const std::string to = incident.to.empty() || is_bad || is_there ? "REVISION" : incident.to.text;
  return command("rollback " + incident.service.text + " --to " + to);
}

std::string not_taken_back(const rules::IncidentRecord& incident) {
  const std::string earlier = rules::left_in_place(incident, true);
  return earlier.empty() ? "" : " Earlier actions did, and nothing took back: " + earlier + ".";
}

std::string kept_from(const rules::IncidentRecord& incident) {
  return incident.would_have_done.empty() ? "" : "; without that it " + markdown_text(incident.would_have_done);
}

std::string aborted_thing(const ReportInput& input) {
  const std::string no_more = "Nothing was done further. If it is still bad: ";
  if (!is_switched(input)) return no_more + command("rollback " + input.incident.service.text) + ".";
  const rules::Revision& to = input.incident.to;
  const std::string runs = to.empty() ? "" : ": " + code(short_revision(to)) + " runs now";
  return "The switch completed" + runs + ", and was not verified. " + no_more + by_hand(input) + ".";
}

// What a switch left its own words say: its driver may have put everything back.
std::string stopped_midway(const ReportInput& input) {
  const std::string begin = "**Look at it now.** The plan stopped at " + failed_step(input);
  if (is_switched(input)) {
    const rules::Revision& to = input.incident.to;
    const std::string runs = to.empty() ? "what it switched to runs" : code(short_revision(to)) + " runs";
    return begin + ", after the switch, which completed: " + runs +
           " now, and was not verified. Its output is below. If it is still bad: " + by_hand(input) + ".";
  }
  const bool is_switch = input.incident.switched;
  return begin +
         (is_switch ? "; what that has left, or put back, its words below say. When its cause is gone: "
                    : "; the service may be half changed. Its output is below. Then ") +
         by_hand(input) + ".";
}

// The plan's own verify.when, though the rules may be good.
bool lacks_what_it_was_for(const rules::IncidentRecord& incident) {
  return incident.outcome_detail.find(" is not true") != std::string::npos;
}

std::string what_is_lacking(const rules::IncidentRecord& incident) {
  return "**Look at it now.** The plan went through, and what it was to bring is not there: " +
         markdown_text(incident.outcome_detail) + ". Nothing more is done by itself.";
}

// The urgent part: what the outcome leaves to people.
std::string first_thing(const ReportInput& input, Outcome outcome) {
  const std::string& service = input.incident.service.text;
  if (rules::is_only_told(input.incident) && outcome != Outcome::observed) outcome = Outcome::notified;
  switch (outcome) {
    case Outcome::recovered:
      return "Nothing is urgent: it works again." + not_taken_back(input.incident);
    case Outcome::not_recovered:
      if (lacks_what_it_was_for(input.incident)) return what_is_lacking(input.incident);
      return "**Look at it now.** The plan went through and the trouble is still there, so the revision is probably "
             "not its cause. Nothing more is done by itself. " +
             command("status") + " says what is bad.";
    case Outcome::wrong_revision:
      return "**Look at it now.** What runs is not what was switched to. Compare " + command("status") +
             " with the service itself, then " + by_hand(input) + ".";
    case Outcome::unverifiable:
      if (!input.incident.past_no_return) {
        return "**Look at it now.** What has to be known cannot be read or measured, so nothing was changed. " +
               command("check --online") + " says why; then " + by_hand(input) + ".";
      }
      return "**Check it by hand now.** Nothing could be measured after the switch; " + command("check --online") +
             " says which probes fail and why.";
    case Outcome::action_failed:
      if (!input.incident.past_no_return) {
        return "**Look at it now.** The plan stopped at " + failed_step(input) +
               " before it had changed anything. Why is below. Then " + by_hand(input) + ".";
      }
      return stopped_midway(input);
    case Outcome::no_target:
      return "**Look at it now.** There is no good revision to go back to. " + command("deploys") +
             " lists what is known; " + by_hand(input) + " goes to one of them, and what " +
             command("deploy good REVISION") + " names is gone back to.";
    case Outcome::fused:
      return "**Look at it now.** The fuse has blown: it was switched too often lately. When the cause is "
             "understood, " +
             command("fuse reset " + service) + " lets rollbackd act again.";
    case Outcome::superseded:
      return "Nothing: another revision came meanwhile and is judged on its own.";
    case Outcome::aborted:
      return aborted_thing(input);
    case Outcome::observed:
      return "Mode observe: this was only watched" + kept_from(input.incident) + ". " + command("rollback " + service) +
             " rolls back by hand.";
    case Outcome::notified:
      return "This rule only tells. If it is still bad: " + command("explain") + ".";
    case Outcome::cleared:
      return "Nothing: the rule cleared before anything was changed.";
  }
  return "";
}

std::string unfinished_thing(const ReportInput& input) {
  return "**Look at it now.** It works again, but " + failed_step(input, true) +
         " after that did not go well. What it was to do, and what was left out after it, has to be done by hand.";
}

std::string open_thing(const rules::IncidentRecord& incident) {
  if (incident.phase == rules::IncidentPhase::asking)
    return "**Decide:** " + markdown_text(incident.asked.empty() ? "may it act?" : incident.asked) + " " +
           command("approve " + incident.id.text) + " or " + command("abort " + incident.id.text) +
           (incident.deadline ? ", until " + utc_text(*incident.deadline) + " UTC" : "") + ".";
  if (incident.phase == rules::IncidentPhase::telling) {
    return "**Act:** nothing is done by itself" + kept_from(incident) + ". " +
           command("rollback " + incident.service.text) + " acts now, " + command("abort " + incident.id.text) +
           " closes it.";
  }
  const std::string kill = command("abort --kill " + incident.id.text);
  if (rules::is_seen_out(incident))
    return "Nothing yet: it is aborted, and the step that runs is finished first. " + kill + " ends that.";
  return "Nothing yet: it is being worked on. " + command("abort " + incident.id.text) + " stops it.";
}

void add_revisions(const ReportInput& input, std::vector<std::string>& things) {
  const rules::IncidentRecord& incident = input.incident;
  const rules::LedgerRecord* from = ledger_entry(input, incident.from);
  if (from != nullptr && from->standing == rules::Standing::bad)
    things.push_back("Fix " + code(from_of(incident)) +
                     " before it is deployed again: it is quarantined and no target. " +
                     command("deploy good " + incident.from.text) + " lifts that.");
  if (from != nullptr && from->standing == rules::Standing::suspect)
    things.push_back(code(from_of(incident)) +
                     " is suspect. Say what it is: " + command("deploy good " + incident.from.text) + " or " +
                     command("deploy bad " + incident.from.text) + ".");
  const rules::LedgerRecord* to = ledger_entry(input, incident.to);
  if (incident.switched && from != nullptr && to != nullptr && from->schema != to->schema)
    things.push_back("The schema was " + code(from->schema) + " with " + code(from_of(incident)) + " and " +
                     code(to->schema) + " with " + code(to_of(incident)) +
                     ": check that what runs now can read what was written.");
}

}  // namespace

std::vector<std::string> left_to_do(const ReportInput& input) {
  std::vector<std::string> things;
  if (works_but_is_unfinished(input))
    things.push_back(unfinished_thing(input));
  else
    things.push_back(input.incident.outcome ? first_thing(input, *input.incident.outcome) : open_thing(input.incident));
  add_revisions(input, things);
  for (const rules::LaterCheck& check : input.incident.later) {
    if (check.end == rules::LaterEnd::waits && !check.text.empty())
      things.push_back("Until " + utc_text(check.due) + " UTC: " + markdown_text(check.text));
  }
  return things;
}

}  // namespace watcher
