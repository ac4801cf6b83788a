#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/incidents/records.hpp"
#include "watcher/report/plots.hpp"

namespace watcher {

// All that an incident's report is made from.
struct ReportInput {
  rules::IncidentRecord incident;
  std::vector<rules::StepRecord> steps;
  std::vector<rules::LedgerRecord> ledger;  // of the service
  struct EvidenceFile {
    std::string name;  // below evidence/
    std::uintmax_t bytes = 0;
  };
  std::vector<EvidenceFile> evidence_files;
  std::vector<std::string> taken_back;  // by the switch, a line each, the newest first
  Around around;                        // when it was closed lately
  std::vector<std::string> notes;       // a driver's aftermath, degradations
  std::string watcher_name;
  std::string version;
};

// For people: what happened, on what evidence, what was done, whether it worked, what is left to do. What is looked at
// a day later finds no samples of then: what was so around it stays as the report before has it.
std::string report_markdown(const ReportInput& input, const std::string& report_before);
// The same but for what was so around it, which stands between the two.
struct ReportParts {
  std::string before;
  std::string after;
};
ReportParts report_parts(const ReportInput& input);
// The same for programs, as JSON.
std::string decision_json(const ReportInput& input);
// The same as one page with pictures, without scripts.
std::string report_html(const ReportInput& input, const std::string& page_before);
// What stands in STATE/incidents/ID/report.md; empty: there is none yet, or it cannot be read.
std::string written_report(const std::string& state_dir, const rules::IncidentId& incident);
// Writes all three to STATE/incidents/ID/, each whole or not at all (temporary file, fsync, rename). Empty on success.
std::string write_report(const std::string& state_dir, const ReportInput& input);

}  // namespace watcher
