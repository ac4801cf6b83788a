#pragma once

#include <string>
#include <vector>

#include "watcher/report/report.hpp"

namespace watcher {

// An incident in words: what its outcome means, and what is left to do. Markdown; everything that came from outside is
// escaped.

// "recovered", or the phase while it is open.
std::string outcome_name(const rules::IncidentRecord& incident);
// A sentence without full stop: what the outcome means.
std::string outcome_meaning(const rules::IncidentRecord& incident);
// What happened, in two or three sentences.
std::string summary(const ReportInput& input);
// What people have to do or may want to do, most urgent first; each a sentence or two.
std::vector<std::string> left_to_do(const ReportInput& input);
// Whether somebody has to look at it now.
bool needs_people(const rules::IncidentRecord& incident);

// nullptr when the ledger does not know it.
const rules::LedgerRecord* ledger_entry(const ReportInput& input, const rules::Revision& revision);

}  // namespace watcher
