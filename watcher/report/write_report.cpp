#include "watcher/journal/files.hpp"
#include "watcher/report/report.hpp"

namespace watcher {

namespace {

constexpr unsigned folder_mode = 0700;
constexpr unsigned file_mode = 0600;  // outputs of commands and targets may hold what is nobody else's to read

}  // namespace

std::string write_report(const std::string& state_dir, const ReportInput& input) {
  const std::string& id = input.incident.id.text;
  if (id.empty() || id.find('/') != std::string::npos || id.front() == '.')
    return "write a report: the incident's id \"" + id + "\" is no folder's name";
  const std::string folder = state_dir + "/incidents/" + id;
  for (const std::string& each : {state_dir + "/incidents", folder}) {
    if (auto fault = make_folder(each, folder_mode)) return fault->what;
  }
  if (auto fault = write_whole(folder + "/decision.json", decision_json(input), file_mode)) return fault->what;
  if (auto fault = write_whole(folder + "/report.md", report_markdown(input), file_mode)) return fault->what;
  return "";
}

}  // namespace watcher
