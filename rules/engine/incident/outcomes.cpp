#include "rules/engine/incident/outcomes.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "rules/engine/told.hpp"

namespace rules {

bool is_given_up(Outcome outcome) {
  switch (outcome) {
    case Outcome::not_recovered:
    case Outcome::wrong_revision:
    case Outcome::unverifiable:
    case Outcome::action_failed:
      return true;
    case Outcome::no_target:
    case Outcome::fused:
    case Outcome::aborted:
    case Outcome::recovered:
    case Outcome::superseded:
    case Outcome::observed:
    case Outcome::notified:
    case Outcome::cleared:
      return false;
  }
  return false;
}

bool is_failure(Outcome outcome) {
  return is_given_up(outcome) || outcome == Outcome::no_target || outcome == Outcome::fused ||
         outcome == Outcome::aborted;
}

Stage stage_of(Outcome outcome) {
  if (outcome == Outcome::cleared) return Stage::cleared;
  return is_failure(outcome) ? Stage::failed : Stage::completed;
}

bool is_only_told(const IncidentRecord& incident) {
  return incident.severity == Severity::p3 && !incident.past_no_return;
}

Stage stage_of(const IncidentRecord& incident) {
  // Whoever acts by hand has not failed.
  if (gave_way(incident)) return Stage::completed;
  const Stage stage = stage_of(*incident.outcome);
  // Others took over from us in the middle: what was begun is theirs to finish, and they have to hear of it.
  const auto is_begun = [](const std::string& step) { return !step.ends_with("(always)"); };
  const bool any_begun = std::any_of(incident.changed.begin(), incident.changed.end(), is_begun);
  if (incident.outcome == Outcome::superseded && any_begun) return Stage::failed;
  return stage == Stage::failed && is_only_told(incident) ? Stage::completed : stage;
}

namespace {

// As often as people are reminded, and just before that: it takes the place of a reminder.
constexpr Duration urgent_again = std::chrono::minutes(30);  // P0, P1
constexpr Duration ordinary_again = std::chrono::hours(4);   // P2
constexpr Duration a_day = std::chrono::hours(24);
constexpr Duration before_a_reminder = std::chrono::minutes(1);

Duration tried_again_every(Severity severity) { return severity <= Severity::p1 ? urgent_again : ordinary_again; }

std::string_view what_now(Outcome outcome) {
  switch (outcome) {
    case Outcome::recovered:
      return "Nothing is left to do at once.";
    case Outcome::not_recovered:
    case Outcome::wrong_revision:
    case Outcome::unverifiable:
    case Outcome::action_failed:
      return "People are needed: nothing more is done by itself until its rules were good or another revision runs; "
             "`rollbackd fuse reset SERVICE` has what fires looked at again, BY_HAND.";
    case Outcome::no_target:
      return "People are needed: BY_HAND.";
    case Outcome::fused:
      return "People are needed: `rollbackd fuse reset SERVICE` allows more, BY_HAND.";
    case Outcome::aborted:
      return "Nothing more is done by itself until its rules were good or another revision runs; "
             "`rollbackd fuse reset SERVICE` has what fires looked at again, BY_HAND.";
    case Outcome::superseded:
      return "The revision that runs now is judged on its own.";
    case Outcome::observed:
    case Outcome::notified:
    case Outcome::cleared:
      return "Nothing was changed.";
  }
  return "";
}

std::string replaced(std::string text, std::string_view part, const std::string& with) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
    text.replace(at, part.size(), with);
    at += with.size();
  }
  return text;
}

}  // namespace

std::string what_now(Outcome outcome, const ServiceName& service, const std::string& by_hand) {
  return replaced(replaced(std::string(what_now(outcome)), "SERVICE", service.text), "BY_HAND", by_hand);
}

std::string left_by_refusal(Severity severity) {
  return "People are needed: what kept the switch from beginning has to go. What fires on is acted on when that is "
         "seen to be gone, and while a rollback looks possible it is tried again every " +
         told(tried_again_every(severity)) + ", after a day once a day.";
}

Duration tried_again_after(Severity severity, Duration since_first) {
  return (since_first >= a_day ? a_day : tried_again_every(severity)) - before_a_reminder;
}

bool is_seen_out(const IncidentRecord& incident) {
  return incident.aborted && incident.pending_outcome && incident.in_flight && incident.section == PlanSection::steps;
}

bool gave_way(const IncidentRecord& incident) {
  return incident.outcome == Outcome::aborted && !incident.past_no_return &&
         incident.outcome_detail.ends_with(takes_its_place);
}

bool is_done_by_us(const StepSpec& step) {
  return std::holds_alternative<WaitStep>(step.what) || std::holds_alternative<SleepStep>(step.what) ||
         std::holds_alternative<AskStep>(step.what);
}

}  // namespace rules
