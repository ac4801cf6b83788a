#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <vector>

#include "rules/conditions/judgement.hpp"
#include "rules/incidents/progress.hpp"

namespace watcher {

// Comparisons as the API shows them: in the order written, each with its numbers and why one is missing.
boost::json::array to_json(const std::vector<rules::Comparison>& comparisons);
// {"text", "step", "steps", "percent", "left_seconds"}, or null.
boost::json::value to_json(const std::optional<rules::Progress>& progress);

}  // namespace watcher
