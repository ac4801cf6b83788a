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
  std::vector<Plot> plots;              // when it was closed lately
  std::vector<std::string> notes;       // a driver's aftermath, degradations
  std::string watcher_name;
  std::string version;
};

// For people: what happened, on what evidence, what was done, whether it worked, what is left to do.
std::string report_markdown(const ReportInput& input);
// The same for programs, as JSON.
std::string decision_json(const ReportInput& input);
// report_markdown() and the plots as one page, without scripts. Without plots, those of the page that was written
// before stay: what is looked at a day later finds no samples of then.
std::string report_html(const ReportInput& input, const std::string& page_before);
// Writes all three to STATE/incidents/ID/, each whole or not at all (temporary file, fsync, rename). Empty on success.
std::string write_report(const std::string& state_dir, const ReportInput& input);

}  // namespace watcher
