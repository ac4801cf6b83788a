#include <fstream>
#include <iterator>

#include "watcher/journal/files.hpp"
#include "watcher/report/report.hpp"

namespace watcher {

std::string write_report(const std::string& state_dir, const ReportInput& input) {
  const std::string& id = input.incident.id.text;
  if (id.empty() || id.find('/') != std::string::npos || id.front() == '.')
    return "write a report: the incident's id \"" + id + "\" is no folder's name";
  const std::string folder = state_dir + "/incidents/" + id;
  for (const std::string& each : {state_dir + "/incidents", folder}) {
    if (auto fault = make_folder(each, private_folder)) return fault->what;
  }
  if (auto fault = write_whole(folder + "/decision.json", decision_json(input), private_file)) return fault->what;
  if (auto fault = write_whole(folder + "/report.md", report_markdown(input), private_file)) return fault->what;
  const std::string page = folder + "/report.html";
  std::ifstream before(page);
  const std::string page_before{std::istreambuf_iterator<char>(before), {}};
  if (auto fault = write_whole(page, report_html(input, page_before), private_file)) return fault->what;
  return "";
}

}  // namespace watcher
