#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "rules/base/time.hpp"

namespace watcher {

namespace json = boost::json;

// JSON as people read it: numbers as 0.21 and 412 rather than 2.1E-1 and 4.12E2. What is NaN or infinite is null.
std::string to_text(const json::value& value);

// A time in UTC with milliseconds, as RFC 3339 writes it: 2026-11-21T02:03:04.567Z.
std::string to_rfc3339(rules::Instant instant);
json::value to_json(std::optional<rules::Instant> instant);
json::value to_json(std::optional<double> number);
// null when empty.
json::value text_or_null(const std::string& text);

}  // namespace watcher
