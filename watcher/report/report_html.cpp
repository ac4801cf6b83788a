#include "watcher/report/around_report.hpp"
#include "watcher/report/html.hpp"
#include "watcher/report/report.hpp"
#include "watcher/report/story.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

std::string report_html(const ReportInput& input, const std::string& page_before) {
  const rules::IncidentRecord& incident = input.incident;
  const ReportParts parts = report_parts(input);
  return html_page(incident.service.text + ": " + outcome_name(incident) + ", " + utc_text(incident.opened),
                   markdown_html(parts.before) + around_html(input, page_before) + markdown_html(parts.after));
}

}  // namespace watcher
