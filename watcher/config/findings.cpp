#include "watcher/config/findings.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace watcher {

namespace {

auto order_of(const Finding& finding) { return std::tie(finding.line, finding.column, finding.level, finding.what); }

// Edit distance in which two neighbouring letters that changed places count as one edit.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

void Findings::error(Place place, std::string what) {
  found_.push_back({Level::error, place.line, place.column, std::move(what)});
}

void Findings::warning(Place place, std::string what) {
  found_.push_back({Level::warning, place.line, place.column, std::move(what)});
}

bool Findings::has_errors() const {
  return std::any_of(found_.begin(), found_.end(), [](const Finding& f) { return f.level == Level::error; });
}

std::vector<Finding> Findings::sorted() const {
  std::vector<Finding> out = found_;
  std::sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) { return order_of(a) < order_of(b); });
  const auto same = [](const Finding& a, const Finding& b) { return order_of(a) == order_of(b); };
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  return out;
}

std::string_view nearest(std::string_view written, const std::vector<std::string>& known) {
  // Further away it is another word, not a slip: a third of the letters, at least one, at most three.
  constexpr std::size_t distance_max = 3;
  const std::size_t near = std::clamp<std::size_t>(written.size() / 3, 1, distance_max);
  std::string_view best;
  std::size_t best_distance = near + 1;
  for (const std::string& name : known) {
    const std::size_t distance = edit_distance(written, name);
    if (distance >= best_distance) continue;
    best = name;
    best_distance = distance;
  }
  return best;
}

std::string_view only_nearest(std::string_view written, const std::vector<std::string>& known) {
  const std::string_view best = nearest(written, known);
  const std::size_t distance = edit_distance(written, best);
  for (const std::string& name : known) {
    if (!best.empty() && name != best && edit_distance(written, name) == distance) return {};
  }
  return best;
}

std::string did_you_mean(std::string_view written, const std::vector<std::string>& known) {
  const std::string_view name = nearest(written, known);
  return name.empty() ? std::string() : "; did you mean \"" + std::string(name) + "\"?";
}

}  // namespace watcher
