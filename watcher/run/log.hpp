#pragma once

#include <string>
#include <string_view>

#include "rules/engine/commands.hpp"

namespace watcher {

// The log: one line a decision on standard error, key=value, with its evidence. systemd's journal adds the time; on a
// terminal the line begins with it.
enum class LogOf {
  everything,
  trouble,  // warnings and errors: what goes well is told otherwise
};
void start_log(LogOf of);

// A decision's line. What is empty is left out.
std::string log_line(const rules::Note& note);
void log_note(const rules::Note& note);
void log_tell(const rules::Tell& tell);
// `fields` is already key=value text.
void log_info(std::string_view event, std::string_view fields);
void log_warning(std::string_view event, std::string_view fields);
void log_error(std::string_view event, std::string_view fields);

// A value as it stands in a line: quoted where it has blanks, quotes or control characters.
std::string log_value(std::string_view value);

}  // namespace watcher
