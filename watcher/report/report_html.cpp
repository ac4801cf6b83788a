#include <algorithm>

#include "watcher/report/html.hpp"
#include "watcher/report/report.hpp"
#include "watcher/report/story.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

constexpr std::string_view heading = "<h2>How it went</h2>\n";
constexpr std::string_view heading_after = "<h2>What was done</h2>";

// Both headings are ours: what a target said is no HTML.
std::string figures_in(const std::string& page) {
  const std::size_t begin = page.find(heading);
  const std::size_t end = page.find(heading_after, begin);
  return begin == std::string::npos || end == std::string::npos ? "" : page.substr(begin, end - begin);
}

std::string figures(const ReportInput& input) {
  PlotSpan span = plot_span(input.incident);
  rules::Instant first = span.to;  // before it nothing was recorded
  for (const Plot& plot : input.plots) first = std::min(first, plot.points.front().at);
  span.from = std::max(span.from, first);
  const std::vector<PlotMark> marks = plot_marks(input.incident);
  std::string out = std::string(heading) + "<p>UTC. Dashed: the threshold. Grey: it could not be measured.</p>\n";
  for (const Plot& plot : input.plots) {
    out += "<figure>\n<figcaption><code>" + html_text(plot.condition) + "</code></figcaption>\n" +
           plot_svg(plot, span, marks) + "</figure>\n";
  }
  return out;
}

}  // namespace

std::string report_html(const ReportInput& input, const std::string& page_before) {
  const rules::IncidentRecord& incident = input.incident;
  return html_page(incident.service.text + ": " + outcome_name(incident) + ", " + utc_text(incident.opened),
                   report_markdown(input), input.plots.empty() ? figures_in(page_before) : figures(input),
                   "What was done");
}

}  // namespace watcher
