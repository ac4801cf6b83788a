#include <algorithm>

#include "watcher/report/html.hpp"
#include "watcher/report/report.hpp"
#include "watcher/report/story.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

constexpr std::string_view heading = "<h2>How it went</h2>\n";
constexpr std::size_t plots_max = 12;  // more are named
constexpr std::string_view heading_after = "<h2>What was done</h2>";

// Both headings are ours: what a target said is no HTML.
std::string figures_in(const std::string& page) {
  const std::size_t begin = page.find(heading);
  const std::size_t end = page.find(heading_after, begin);
  return begin == std::string::npos || end == std::string::npos ? "" : page.substr(begin, end - begin);
}

std::string left_out(const std::vector<Plot>& plots, std::size_t shown) {
  if (plots.size() <= shown) return {};
  std::string names;
  for (std::size_t i = shown; i < plots.size(); ++i)
    names += (names.empty() ? "<code>" : ", <code>") + html_text(plots[i].condition) + "</code>";
  return "<p>" + std::to_string(plots.size() - shown) + " more were compared, and are not drawn: " + names + ".</p>\n";
}

std::string figures(const ReportInput& input) {
  PlotSpan span = plot_span(input.incident);
  rules::Instant first = span.to;  // before it nothing was recorded
  for (const Plot& plot : input.plots) first = std::min(first, plot.points.front().at);
  span.from = std::max(span.from, first);
  const std::vector<PlotMark> marks = plot_marks(input.incident);
  std::string out = std::string(heading) + "<p>UTC. Dashed: the threshold. Grey: it could not be measured.</p>\n";
  const std::size_t shown = std::min(plots_max, input.plots.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const Plot& plot = input.plots[i];
    out += "<figure>\n<figcaption><code>" + html_text(plot.condition) + "</code></figcaption>\n" +
           plot_svg(plot, span, marks) + "</figure>\n";
  }
  return out + left_out(input.plots, shown);
}

}  // namespace

std::string report_html(const ReportInput& input, const std::string& page_before) {
  const rules::IncidentRecord& incident = input.incident;
  return html_page(incident.service.text + ": " + outcome_name(incident) + ", " + utc_text(incident.opened),
                   report_markdown(input), input.plots.empty() ? figures_in(page_before) : figures(input),
                   "What was done");
}

}  // namespace watcher
