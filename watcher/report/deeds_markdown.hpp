#pragma once

#include <string>

#include "watcher/report/report.hpp"

namespace watcher {

// The report's section on what was done: each step, when, how it ended, the end of what it said.
std::string deeds_markdown(const ReportInput& input);

}  // namespace watcher
