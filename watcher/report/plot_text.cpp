#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>

#include "watcher/report/plots.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

constexpr std::size_t columns = 72;
constexpr std::size_t condition_max = 200;  // bytes
constexpr std::string_view unmeasured = "·";
constexpr std::array<std::string_view, 8> heights{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::size_t column_of(rules::Instant at, const PlotSpan& span) {
  const double whole = std::max(rules::seconds(span.to - span.from), 1e-9);
  const double share = std::clamp(rules::seconds(at - span.from) / whole, 0.0, 1.0);
  return std::min(columns - 1, static_cast<std::size_t>(share * columns));
}

struct Range {
  double lowest = 0;
  double highest = 0;
  bool is_measured = false;
};

bool is_shown(const PlotPoint& point) { return point.value && std::isfinite(*point.value); }

Range range_of(const Plot& plot) {
  Range out;
  for (const PlotPoint& point : plot.points) {
    if (!is_shown(point)) continue;
    out.lowest = out.is_measured ? std::min(out.lowest, *point.value) : *point.value;
    out.highest = out.is_measured ? std::max(out.highest, *point.value) : *point.value;
    out.is_measured = true;
  }
  return out;
}

// From nothing, or the lowest below it, to the highest; a threshold is within.
std::string_view height_of(double value, const Range& range, const std::optional<double>& threshold) {
  const double low = std::min({0.0, range.lowest, threshold.value_or(0)});
  const double high = std::max({0.0, range.highest, threshold.value_or(0)});
  const double share = high > low ? (value - low) / (high - low) : 0;
  const auto step = static_cast<std::size_t>(std::lround(share * static_cast<double>(heights.size() - 1)));
  return heights[std::min(step, heights.size() - 1)];
}

std::string values(const Plot& plot) {
  const Range range = range_of(plot);
  const auto last = std::find_if(plot.points.rbegin(), plot.points.rend(), is_shown);
  std::string text = clean_line(plot.condition, condition_max);
  text += ": " + number_text(range.lowest, plot.unit) + " to " + number_text(range.highest, plot.unit);
  if (last != plot.points.rend()) text += ", at last " + number_text(*last->value, plot.unit);
  if (plot.threshold) text += "; threshold " + number_text(*plot.threshold, plot.unit);
  return text;
}

// The highest of each column: what went past a threshold shows.
std::string curve(const Plot& plot, const PlotSpan& span) {
  std::array<std::optional<double>, columns> highest{};
  std::array<bool, columns> is_looked_at{};
  for (const PlotPoint& point : plot.points) {
    const std::size_t column = column_of(point.at, span);
    is_looked_at[column] = true;
    if (is_shown(point)) highest[column] = std::max(highest[column].value_or(*point.value), *point.value);
  }
  const Range range = range_of(plot);
  std::string text;
  for (std::size_t i = 0; i < columns; ++i) {
    // Looks may lie further apart than columns are wide.
    if (!is_looked_at[i] && i > 0) highest[i] = highest[i - 1];
    text += highest[i] ? height_of(*highest[i], range, plot.threshold) : unmeasured;
  }
  return text;
}

// A sign of its own for each of them: its first letter, or where that is taken a number.
std::string signs_of(const std::vector<PlotMark>& marks) {
  std::string out;
  for (const PlotMark& mark : marks) {
    const char letter = static_cast<char>(std::toupper(static_cast<unsigned char>(mark.what.front())));
    const bool is_taken = out.find(letter) != std::string::npos;
    out += is_taken ? static_cast<char>('1' + std::min<std::size_t>(out.size(), 8)) : letter;
  }
  return out;
}

std::string marks_line(const PlotSpan& span, const std::vector<PlotMark>& marks) {
  const std::string signs = signs_of(marks);
  std::string line(columns, ' ');
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i].at < span.from || marks[i].at > span.to) continue;
    std::size_t column = column_of(marks[i].at, span);
    while (column + 1 < columns && line[column] != ' ') ++column;
    line[column] = signs[i];
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string plot_text(const Plot& plot, const PlotSpan& span, const std::vector<PlotMark>& marks) {
  return values(plot) + "\n" + curve(plot, span) + "\n" + marks_line(span, marks) + "\n";
}

std::string plot_legend(const PlotSpan& span, const std::vector<PlotMark>& marks) {
  const std::string signs = signs_of(marks);
  std::string text = "From " + utc_text(span.from) + " to " + utc_text(span.to) + " UTC.";
  for (std::size_t i = 0; i < marks.size(); ++i)
    text += std::string(1, ' ') + signs[i] + ": " + marks[i].what + (i + 1 < marks.size() ? "," : ".");
  return text + " " + std::string(unmeasured) + ": it could not be measured.";
}

}  // namespace watcher
