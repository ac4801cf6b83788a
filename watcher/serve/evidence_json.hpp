#pragma once

#include <boost/json/array.hpp>
#include <vector>

#include "rules/conditions/judgement.hpp"

namespace watcher {

// Comparisons as the API shows them: in the order written, each with its numbers and why one is missing.
boost::json::array to_json(const std::vector<rules::Comparison>& comparisons);

}  // namespace watcher
