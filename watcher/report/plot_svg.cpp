#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "watcher/report/html.hpp"
#include "watcher/report/plots.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

// In the units of the picture's own space; a page shows it as wide as it is itself.
constexpr double width = 860, height = 220;
constexpr double left = 74, right = 16, top = 46, bottom = 26;
constexpr double row_height = 13;  // of the labels of marks
constexpr std::size_t rows = 3;
constexpr double headroom = 0.12;    // above what is highest, of the whole
constexpr double label_width = 7.0;  // of a letter, to keep labels apart

double in_seconds(rules::Duration d) { return rules::seconds(d); }

class Picture {
 public:
  Picture(const Plot& plot, const PlotSpan& span) : plot_(plot), span_(span) {
    highest_ = std::max(0.0, plot.threshold.value_or(0));
    lowest_ = std::min(0.0, plot.threshold.value_or(0));
    for (const PlotPoint& point : plot.points) {
      if (!point.value || !std::isfinite(*point.value)) continue;
      highest_ = std::max(highest_, *point.value);
      lowest_ = std::min(lowest_, *point.value);
    }
    if (highest_ == lowest_) highest_ = lowest_ + 1;
    high_label_ = highest_;
    highest_ += (highest_ - lowest_) * headroom;
    is_long_ = span.to - span.from > std::chrono::hours(20);
  }

  std::string draw(const std::vector<PlotMark>& marks) const {
    return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width, height,
                       html_text(plot_.condition)) +
           frame() + gaps() + threshold() + line() + marks_text(marks) + "</svg>\n";
  }

 private:
  double x(rules::Instant at) const {
    const double whole = std::max(in_seconds(span_.to - span_.from), 1e-9);
    const double share = std::clamp(in_seconds(at - span_.from) / whole, 0.0, 1.0);
    return left + share * (width - left - right);
  }
  double y(double value) const {
    const double share = (value - lowest_) / (highest_ - lowest_);
    return height - bottom - std::clamp(share, 0.0, 1.0) * (height - top - bottom);
  }

  std::string time_text(rules::Instant at) const { return is_long_ ? utc_text(at) : utc_text(at).substr(11); }

  std::string label(double at_y, double value) const {
    return fmt::format("<text class=\"axis\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 6,
                       at_y + 4, html_text(number_text(value, plot_.unit)));
  }

  std::string frame() const {
    const double base = y(lowest_);
    std::string out = fmt::format("<line class=\"base\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>\n", left,
                                  base, width - right, base);
    if (!plot_.threshold || std::abs(base - y(*plot_.threshold)) > 14) out += label(base, lowest_);
    const bool is_apart = !plot_.threshold || std::abs(y(high_label_) - y(*plot_.threshold)) > 14;
    if (is_apart) out += label(y(high_label_), high_label_);
    const auto time = [&](rules::Instant at, const char* anchor) {
      return fmt::format("<text class=\"axis\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", x(at), height - 8,
                         anchor, time_text(at));
    };
    return out + time(span_.from, "start") + time(span_.to, "end");
  }

  std::string threshold() const {
    if (!plot_.threshold) return "";
    const double at = y(*plot_.threshold);
    return fmt::format("<line class=\"threshold\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>\n", left, at,
                       width - right, at) +
           label(at, *plot_.threshold);
  }

  // Where nothing was measured.
  std::string gaps() const {
    std::string out;
    const auto& points = plot_.points;
    for (std::size_t i = 0; i < points.size();) {
      if (points[i].value) {
        ++i;
        continue;
      }
      const std::size_t begin = i;
      while (i < points.size() && !points[i].value) ++i;
      const double from = x(points[begin].at), to = x(points[std::min(i, points.size() - 1)].at);
      out += fmt::format(
          "<rect class=\"gap\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"><title>could not be "
          "measured</title></rect>\n",
          from, top, std::max(to - from, 1.0), height - top - bottom);
    }
    return out;
  }

  std::string line() const {
    std::string path;
    bool is_open = false;
    for (const PlotPoint& point : plot_.points) {
      const bool is_drawn = point.value && std::isfinite(*point.value);
      if (is_drawn) path += fmt::format("{}{:.1f} {:.1f}", is_open ? "L" : "M", x(point.at), y(*point.value));
      is_open = is_drawn;
    }
    return "<path class=\"value\" d=\"" + path + "\"/>\n";
  }

  // Labels that would stand on each other go below each other.
  std::string marks_text(const std::vector<PlotMark>& marks) const {
    std::string out;
    std::array<double, rows> taken{};  // until there
    for (const PlotMark& mark : marks) {
      if (mark.at < span_.from || mark.at > span_.to) continue;
      const double at = x(mark.at);
      const double long_as = static_cast<double>(mark.what.size()) * label_width;
      const bool is_late = at + long_as > width;
      const double begin = is_late ? at - long_as : at;
      const auto free = std::find_if(taken.begin(), taken.end(), [&](double until) { return until <= begin; });
      const auto row = free == taken.end() ? std::min_element(taken.begin(), taken.end()) : free;
      *row = begin + long_as;
      const double text_y = top - 6 - row_height * static_cast<double>(row - taken.begin());
      out += fmt::format(
          "<line class=\"mark\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2}\"><title>{3} {4}</title></line>\n"
          "<text class=\"mark\" x=\"{5:.1f}\" y=\"{1:.1f}\" text-anchor=\"{6}\">{3}</text>\n",
          at, text_y, height - bottom, html_text(mark.what), time_text(mark.at), is_late ? at - 3 : at + 3,
          is_late ? "end" : "start");
    }
    return out;
  }

  const Plot& plot_;
  const PlotSpan& span_;
  double highest_ = 0;
  double lowest_ = 0;
  double high_label_ = 0;
  bool is_long_ = false;  // so that a time needs its day
};

}  // namespace

std::string plot_svg(const Plot& plot, const PlotSpan& span, const std::vector<PlotMark>& marks) {
  return Picture(plot, span).draw(marks);
}

}  // namespace watcher
