#include "rules/signals/window.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace rules {

namespace {

Window make_window(const Reach& reach, PageNumber begin) {
  const PageNumber end = reach.instance->newest_page();
  assert(begin <= end);
  return {begin, end, reach.instance->ended(end) - reach.instance->ended(begin)};
}

}  // namespace

Window window_of(const Reach& reach, Duration length, Duration length_max, Duration slack) {
  const Instance& instance = *reach.instance;
  const PageNumber end = instance.newest_page();
  const Instant newest = instance.ended(end);
  PageNumber begin = std::max(reach.floor.page, instance.page_at(newest - length).value_or(instance.first_page()));
  if (begin < end && newest - instance.ended(begin) > length_max + slack) ++begin;
  return make_window(reach, begin);
}

Window newest_part_of(const Reach& reach) {
  const PageNumber end = reach.instance->newest_page();
  return make_window(reach, std::max(reach.floor.page, end - std::min(end, newest_polls)));
}

std::optional<double> increase(const Reach& reach, const Window& window, const Series& series) {
  const std::optional<double> last = series.at(window.end);
  if (!last) return std::nullopt;
  return *last - series.at_or_before(window.begin, reach.floor.page).value_or(0);
}

Increase increase(const Reach& reach, const Window& window, std::size_t use) {
  Increase out;
  for (const std::size_t index : reach.instance->series_of(use)) {
    out.value += increase(reach, window, reach.instance->series()[index]).value_or(0);
  }
  out.finite = std::isfinite(out.value);
  return out;
}

}  // namespace rules
