#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "rules/base/time.hpp"

namespace rules {

// When each of a number of things has to be looked at though nothing happened: setting one and finding the next cost
// the logarithm of how many there are.
class Due {
 public:
  explicit Due(std::size_t count = 0) : times_(count) {}

  void set(std::size_t which, std::optional<Instant> at) {
    if (times_[which] == at) return;
    if (times_[which]) order_.erase({*times_[which], which});
    if (at) order_.emplace(*at, which);
    times_[which] = at;
  }
  std::optional<Instant> of(std::size_t which) const { return times_[which]; }
  // Instant::max(): nothing is due.
  Instant next() const { return order_.empty() ? Instant::max() : order_.begin()->first; }
  // Takes away what is due by then, the earliest first; at equal times in the order of numbers.
  std::vector<std::size_t> take(Instant now) {
    std::vector<std::size_t> out;
    while (!order_.empty() && order_.begin()->first <= now) {
      out.push_back(order_.begin()->second);
      times_[out.back()].reset();
      order_.erase(order_.begin());
    }
    return out;
  }

 private:
  std::vector<std::optional<Instant>> times_;
  std::set<std::pair<Instant, std::size_t>> order_;
};

}  // namespace rules
