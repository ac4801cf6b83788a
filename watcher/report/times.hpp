#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rules/incidents/records.hpp"

namespace watcher {

// An incident's times: from the deployment to the recovery, how long it was bad, how many requests failed. What was not
// measured is unknown, and says why.
struct Moment {
  std::string name;
  std::optional<rules::Instant> at;
  std::string unknown;  // why there is none
  // Since the newest moment before it that is known; none: there is no such.
  std::optional<rules::Duration> after;
  std::string after_what;
};

// In the order in which they come: deploy, first bad sample, detection, decision, switch, recovery.
std::vector<Moment> moments_of(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps);
// "4m 10s; 20s more could not be measured (warming_up 20s)"
std::string downtime_text(const rules::IncidentRecord& incident);
// "1204 of 5310"
std::string failed_requests_text(const rules::IncidentRecord& incident);

// All of it as a section of the report, as lines for a terminal, and for programs.
std::string times_markdown(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps);
std::string times_text(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps);
boost::json::object times_json(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps);

}  // namespace watcher
