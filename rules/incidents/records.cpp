#include "rules/incidents/records.hpp"

#include <algorithm>
#include <string_view>

namespace rules {

std::string left_in_place(const IncidentRecord& incident, bool only_earlier) {
  std::string text;
  std::int64_t left = only_earlier ? incident.changed_earlier : static_cast<std::int64_t>(incident.changed.size());
  for (const std::string& step : incident.changed) {
    if (--left < 0) break;
    text += (text.empty() ? "" : ", ") + step;
  }
  return text;
}

const JoinedRule* leading_rule(const IncidentRecord& incident) {
  const auto leads = [](const JoinedRule& one, const JoinedRule& two) { return one.severity < two.severity; };
  const auto found = std::min_element(incident.rules.begin(), incident.rules.end(), leads);
  return found == incident.rules.end() ? nullptr : &*found;
}

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::candidate:
      return "candidate";
    case Standing::good:
      return "good";
    case Standing::suspect:
      return "suspect";
    case Standing::bad:
      return "bad";
  }
  return "";
}

std::string_view to_string(RollbackPolicy policy) {
  switch (policy) {
    case RollbackPolicy::automatic:
      return "auto";
    case RollbackPolicy::ask:
      return "ask";
    case RollbackPolicy::forbidden:
      return "forbidden";
  }
  return "";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::recovered:
      return "recovered";
    case Outcome::not_recovered:
      return "not_recovered";
    case Outcome::wrong_revision:
      return "wrong_revision";
    case Outcome::unverifiable:
      return "unverifiable";
    case Outcome::action_failed:
      return "action_failed";
    case Outcome::no_target:
      return "no_target";
    case Outcome::fused:
      return "fused";
    case Outcome::superseded:
      return "superseded";
    case Outcome::aborted:
      return "aborted";
    case Outcome::observed:
      return "observed";
    case Outcome::notified:
      return "notified";
    case Outcome::cleared:
      return "cleared";
  }
  return "";
}

std::string_view to_string(IncidentPhase phase) {
  switch (phase) {
    case IncidentPhase::held:
      return "held";
    case IncidentPhase::asking:
      return "asking";
    case IncidentPhase::acting:
      return "acting";
    case IncidentPhase::settling:
      return "settling";
    case IncidentPhase::verifying:
      return "verifying";
    case IncidentPhase::finishing:
      return "finishing";
    case IncidentPhase::telling:
      return "telling";
    case IncidentPhase::closed:
      return "closed";
  }
  return "";
}

std::string_view to_string(PlanSection section) {
  switch (section) {
    case PlanSection::steps:
      return "steps";
    case PlanSection::on_success:
      return "on_success";
    case PlanSection::on_failure:
      return "on_failure";
    case PlanSection::always:
      return "always";
  }
  return "";
}

std::string_view to_string(LaterEnd end) {
  switch (end) {
    case LaterEnd::waits:
      return "waits";
    case LaterEnd::holds:
      return "holds";
    case LaterEnd::does_not_hold:
      return "does_not_hold";
    case LaterEnd::unknown:
      return "unknown";
    case LaterEnd::reminded:
      return "reminded";
    case LaterEnd::not_looked_at:
      return "not_looked_at";
  }
  return "";
}

std::string_view to_string(StepStatus status) {
  switch (status) {
    case StepStatus::started:
      return "started";
    case StepStatus::succeeded:
      return "succeeded";
    case StepStatus::failed:
      return "failed";
    case StepStatus::timed_out:
      return "timed_out";
    case StepStatus::skipped:
      return "skipped";
    case StepStatus::interrupted:
      return "interrupted";
  }
  return "";
}

}  // namespace rules
