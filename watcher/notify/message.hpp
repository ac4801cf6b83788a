#pragma once

#include <boost/json/string.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "rules/engine/commands.hpp"

namespace watcher {

// What every type of notifier says of a message.

// Text that a message may have: without control characters, cut to 16 KiB.
boost::json::string message_text(std::string_view bytes);
// The same as it stands between the quotes of a JSON string.
std::string json_escaped(std::string_view bytes);
// The leftmost comparison that decided: the first bad one, else the first with a value; nullptr when there is none.
const rules::Comparison* decisive(const rules::Tell& tell);

// What a reader looks for beside the text, without what is not known: service, rule, measured, from, to, outcome,
// impact, runbook, status page. `clean` and cut to 300 bytes.
struct Fact {
  std::string name;
  std::string value;
};
std::vector<Fact> facts(const rules::Tell& tell);
// "[P1] web: error rate 12 % > 5 %", one line.
std::string headline(const rules::Tell& tell, std::size_t bytes_max);
// "prod-1 · 20261121-020304-web-slow · 2026-11-21 02:03:04 UTC"
std::string origin_line(const rules::Tell& tell, const std::string& watcher_name);
// What stands before a character that is cut through is left, with a "…".
std::string within(const std::string& text, std::size_t bytes_max);

// What PagerDuty and Alertmanager are told of begins and ends. An incident is one alert until it is over well (what is
// looked at later is not its end); that a service cannot be observed is another.
bool is_over(const rules::Tell& tell);
// The same in every message about it, and only in these: WATCHER/INCIDENT, or WATCHER/blind-SERVICE.
std::string alert_key(const rules::Tell& tell, const std::string& watcher_name);

}  // namespace watcher
