#include <fstream>
#include <iterator>

#include "watcher/journal/files.hpp"
#include "watcher/report/report.hpp"

namespace watcher {

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Nothing else than a folder's name.
bool is_name(const std::string& id) {
  return !id.empty() && id.find('/') == std::string::npos && id.front() != '.' && id.find('\0') == std::string::npos;
}

}  // namespace

std::string written_report(const std::string& state_dir, const rules::IncidentId& incident) {
  return is_name(incident.text) ? content_of(state_dir + "/incidents/" + incident.text + "/report.md") : std::string();
}

std::string write_report(const std::string& state_dir, const ReportInput& input) {
  const std::string& id = input.incident.id.text;
  if (!is_name(id)) return "write a report: the incident's id \"" + id + "\" is no folder's name";
  const std::string folder = state_dir + "/incidents/" + id;
  for (const std::string& each : {state_dir + "/incidents", folder}) {
    if (auto fault = make_folder(each, private_folder)) return fault->what;
  }
  if (auto fault = write_whole(folder + "/decision.json", decision_json(input), private_file)) return fault->what;
  const std::string report = folder + "/report.md";
  if (auto fault = write_whole(report, report_markdown(input, content_of(report)), private_file)) return fault->what;
  const std::string page = folder + "/report.html";
  if (auto fault = write_whole(page, report_html(input, content_of(page)), private_file)) return fault->what;
  return "";
}

}  // namespace watcher
