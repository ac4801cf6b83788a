#pragma once

#include <string>
#include <vector>

#include "rules/incidents/records.hpp"

namespace watcher {

// All that an incident's report is made from.
struct ReportInput {
  rules::IncidentRecord incident;
  std::vector<rules::StepRecord> steps;
  std::vector<rules::LedgerRecord> ledger;  // of the service
  std::vector<std::string> evidence_files;  // below evidence/
  std::vector<std::string> notes;           // a driver's aftermath, degradations
  std::string watcher_name;
  std::string version;
};

// For people: what happened, on what evidence, what was done, whether it worked, what is left to do.
std::string report_markdown(const ReportInput& input);
// The same for programs, as JSON.
std::string decision_json(const ReportInput& input);
// Writes both to STATE/incidents/ID/, each whole or not at all (temporary file, fsync, rename). Empty on success.
std::string write_report(const std::string& state_dir, const ReportInput& input);

}  // namespace watcher
