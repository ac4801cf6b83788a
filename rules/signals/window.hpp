#pragma once

#include <vector>

#include "rules/signals/instance.hpp"

namespace rules {

// Where a signal may look in one instance: from the floor to the newest page.
struct Reach {
  const Instance* instance = nullptr;
  Floor floor;
};

// The pages that a window begins and ends at.
struct Window {
  PageNumber begin = 0;
  PageNumber end = 0;
  Duration length{};
};

// A window must hold this share of its length to be usable (SPEC 2.5).
inline constexpr double window_share_min = 0.6;

// The window of at least `length` that ends at the newest page: it begins at the newest page at or before that, or at
// the floor. Pages from before newest - (length_max + slack) do not count: a window does not reach over a long silence.
Window window_of(const Reach& reach, Duration length, Duration length_max, Duration slack);

// What came since the poll before last (SPEC 2.11). The newest poll is the confirming one, which comes where `for`
// ends, and so right after a regular one: what is between these two is next to nothing, and begins before them.
inline constexpr PageNumber newest_polls = 2;
Window newest_part_of(const Reach& reach);

// The sum of the increases of a use's series, per series from the window's begin to its end. A series born inside
// counts from 0, one that vanished is left out; absent series are 0. Nothing when a value is not a number.
struct Increase {
  double value = 0;
  bool finite = true;
};
Increase increase(const Reach& reach, const Window& window, std::size_t use);
std::optional<double> increase(const Reach& reach, const Window& window, const Series& series);

}  // namespace rules
