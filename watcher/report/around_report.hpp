#pragma once

#include <string>
#include <string_view>

#include "watcher/report/report.hpp"

namespace watcher {

// What was so around an incident, as a section of its report. It is made from samples, which are kept for a while only:
// when there are none any more, the section of the report before stays.
std::string around_markdown(const ReportInput& input, std::string_view report_before);
std::string around_html(const ReportInput& input, std::string_view page_before);

// The first so many are drawn; more are named.
inline constexpr std::size_t plots_max = 12;

}  // namespace watcher
