#include "watcher/report/around_report.hpp"

#include <algorithm>

#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/html.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

constexpr std::string_view title = "## How it went\n";
// No element of a page that was made from Markdown.
constexpr std::string_view begin_html = "<section id=\"how-it-went\">\n";
constexpr std::string_view end_html = "</section>\n";

bool is_empty(const Around& around) {
  return around.plots.empty() && around.bystanders.empty() && around.unmeasured.empty();
}

// Every title of a section is ours: what a target said does not begin a line.
std::string_view section_of(std::string_view report) {
  const std::size_t begin = report.find("\n" + std::string(title));
  if (begin == std::string_view::npos) return {};
  const std::size_t inside = begin + 1 + title.size();
  const std::size_t end = std::min(report.find("\n## ", inside), report.find("\n---\n", inside));
  return report.substr(begin + 1, end == std::string_view::npos ? end : end - begin);
}

std::string_view section_of_page(std::string_view page) {
  const std::size_t begin = page.find(begin_html);
  const std::size_t end = page.find(end_html, begin);
  if (begin == std::string_view::npos || end == std::string_view::npos) return {};
  return page.substr(begin, end + end_html.size() - begin);
}

std::string state_text(const Bystander& rule) {
  const std::string needs = " (needs " + duration_text(rule.sustain) + ")";
  const std::string bad = rule.bad > rules::Duration::zero() ? "bad for " + duration_text(rule.bad) + " in all" + needs
                                                             : std::string("never bad");
  return bad + ", at the end " + enumerator_name(rule.at_end);
}

std::string bystander_rows(const Bystander& rule) {
  std::string text;
  for (const rules::Comparison& comparison : rule.judgement.comparisons) {
    const bool is_first = &comparison == &rule.judgement.comparisons.front();
    const std::string threshold = comparison.threshold ? number_text(*comparison.threshold, comparison.unit) : "–";
    const std::string name = markdown_code(rule.rule.text, Place::table) + " (" + std::string(to_string(rule.severity));
    text += "| " + (is_first ? name + ")" : "") + " | " + markdown_code(comparison.text, Place::table) + " | " +
            value_text(comparison) + " | " + threshold + " | " + enumerator_name(comparison.verdict) + " | " +
            (is_first ? state_text(rule) : "") + " |\n";
  }
  return text;
}

std::string bystanders_markdown(const Around& around) {
  if (around.bystanders.empty()) return "";
  std::string text =
      "Rules of the service that did not fire, as they were when it opened, and what they came to:\n\n"
      "| rule | condition | value | threshold | verdict | in the time that is drawn |\n|---|---|--:|--:|---|---|\n";
  for (const Bystander& rule : around.bystanders) text += bystander_rows(rule);
  return text + "\n";
}

std::string named(const std::vector<std::string>& conditions) {
  std::string text;
  for (const std::string& condition : conditions)
    text += (text.empty() ? "" : ", ") + markdown_code(condition, Place::paragraph);
  return text;
}

std::string left_out(const Around& around) {
  std::string text;
  std::vector<std::string> more;
  for (std::size_t i = plots_max; i < around.plots.size(); ++i) more.push_back(around.plots[i].condition);
  if (!more.empty())
    text += std::to_string(more.size()) + " more were compared, and are not drawn: " + named(more) + ".\n\n";
  if (!around.unmeasured.empty())
    text += "Could not be measured at any time of it: " + named(around.unmeasured) + ".\n\n";
  return text;
}

// Before the first sample nothing was recorded.
PlotSpan span_of(const ReportInput& input) {
  PlotSpan span = plot_span(input.incident);
  rules::Instant first = span.to;
  for (const Plot& plot : input.around.plots) first = std::min(first, plot.points.front().at);
  span.from = std::max(span.from, first);
  return span;
}

std::vector<Plot> drawn(const Around& around) {
  const std::size_t count = std::min(plots_max, around.plots.size());
  return {around.plots.begin(), around.plots.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

std::string around_markdown(const ReportInput& input, std::string_view report_before) {
  const Around& around = input.around;
  if (is_empty(around)) return std::string(section_of(report_before));
  std::string text = std::string(title) + "\n" + bystanders_markdown(around);
  const PlotSpan span = span_of(input);
  const std::vector<PlotMark> marks = plot_marks(input.incident);
  if (!around.plots.empty()) text += "What was measured. " + markdown_text(plot_legend(span, marks)) + "\n\n";
  for (const Plot& plot : drawn(around)) text += markdown_block(plot_text(plot, span, marks), "") + "\n";
  return text + left_out(around);
}

std::string around_html(const ReportInput& input, std::string_view page_before) {
  const Around& around = input.around;
  if (is_empty(around)) return std::string(section_of_page(page_before));
  std::string out = std::string(begin_html) + markdown_html(std::string(title) + "\n" + bystanders_markdown(around));
  const PlotSpan span = span_of(input);
  const std::vector<PlotMark> marks = plot_marks(input.incident);
  if (!around.plots.empty())
    out += "<p>What was measured, UTC. Dashed: the threshold. Grey: it could not be measured.</p>\n";
  for (const Plot& plot : drawn(around)) {
    out += "<figure>\n<figcaption><code>" + html_text(plot.condition) + "</code></figcaption>\n" +
           plot_svg(plot, span, marks) + "</figure>\n";
  }
  return out + markdown_html(left_out(around)) + std::string(end_html);
}

}  // namespace watcher
