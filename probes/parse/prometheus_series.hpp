#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "rules/base/series.hpp"

namespace probes {

// How much of a sample's line is its series: the name and the labels with their braces. nullopt: a quote or a
// brace is not closed, or there is no name. What stands inside the braces is not judged here.
std::optional<std::size_t> series_text_size(std::string_view line);

// Why a series' text is malformed, for people.
struct MalformedSeries {
  std::string what;
};

// The identity that a series' text spells: escapes resolved, labels sorted, those with empty values dropped,
// as an absent label and an empty one are the same to Prometheus. A quoted name may stand inside the braces.
std::variant<rules::SeriesKey, MalformedSeries> parse_series(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace probes
