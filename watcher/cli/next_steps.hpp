#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/cli/open_incidents.hpp"

namespace watcher {

// What a person would do now, one line each. `status` is what the API gives.
std::vector<std::string> next_steps(const boost::json::value& status, const OpenIncidents& incidents);
// Of each rule that fires while no incident answers it: why nothing is done, and what a person can do.
std::vector<std::string> unanswered(const boost::json::value& status);
// Whether the service has such a rule.
bool fires_unanswered(const boost::json::value& status, std::string_view service);

}  // namespace watcher
