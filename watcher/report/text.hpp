#pragma once

#include <string>
#include <string_view>

#include "rules/base/names.hpp"
#include "rules/base/time.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// How reports and messages write things. Nothing here trusts the text that it is given: what a target or a command
// said is bytes.

// 2026-11-21 02:03:04
std::string utc_text(rules::Instant at);
// 2026-11-21T02:03:04.120Z
std::string iso_text(rules::Instant at);
// 350ms, 4.2s, 7m 12s, 1h 30m, 2d 3h: two units at most, for people.
std::string duration_text(rules::Duration length);
// 0.3125, 12000, 1.5e+09, NaN: four significant digits, whole numbers in full up to a million. In a unit as conditions
// have them: 6.0 %, 4210 ms, 93.5 MiB (rules/conditions/unit.hpp).
std::string number_text(double value, std::string_view unit = {});
// What a comparison measured, or why nothing was.
std::string value_text(const rules::Comparison& comparison);
// A commit's first 12 digits; other revisions as they are.
std::string short_revision(const rules::Revision& revision, const std::string& label = {});
std::string from_of(const rules::IncidentRecord& incident);
std::string to_of(const rules::IncidentRecord& incident);

// What is visible of it (visible.hpp) in one line, at most `bytes_max` long; a cut shows as "…".
std::string clean_line(std::string_view bytes, std::size_t bytes_max);

// What stands before the first line feed.
std::string_view first_line(std::string_view bytes);

// Plain words in markdown, in one line: nothing in them is markup.
std::string markdown_text(std::string_view bytes);
// A code span, with as many backticks as it takes. `in_table`: also safe as a table's cell.
enum class Place { paragraph, table };
std::string markdown_code(std::string_view bytes, Place place);
// A fenced block, each line indented by `indent`, with a fence that its content does not contain.
std::string markdown_block(std::string_view bytes, std::string_view indent);

}  // namespace watcher
