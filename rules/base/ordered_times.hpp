#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "rules/base/time.hpp"

namespace rules {

// When each of a number of things is due. Setting one anew costs the logarithm of how many there are, and no memory:
// each poll does it several times. `Before` orders things of the same time.
template <class Thing, class Before = std::less<Thing>>
class OrderedTimes {
 public:
  OrderedTimes() = default;
  OrderedTimes(OrderedTimes&&) = default;  // places stay places; in a copy they would be the original's
  OrderedTimes& operator=(OrderedTimes&&) = default;

  // None: it is not due at all.
  void set(const Thing& thing, std::optional<Instant> at) {
    const auto known = places_.find(thing);
    if (known == places_.end()) {
      if (at) places_.emplace(thing, order_.insert({*at, thing}).first);
      return;
    }
    if (at && known->second->first == *at) return;
    auto node = order_.extract(known->second);
    if (!at) {
      places_.erase(known);
      return;
    }
    node.value().first = *at;
    known->second = order_.insert(std::move(node)).position;
  }
  std::optional<Instant> of(const Thing& thing) const {
    const auto known = places_.find(thing);
    return known == places_.end() ? std::nullopt : std::optional(known->second->first);
  }
  // Instant::max(): nothing is due.
  Instant next() const { return order_.empty() ? Instant::max() : order_.begin()->first; }
  // Takes away what is due by then, the earliest first.
  std::vector<Thing> take(Instant now) {
    std::vector<Thing> out;
    while (!order_.empty() && order_.begin()->first <= now) {
      out.push_back(order_.begin()->second);
      places_.erase(out.back());
      order_.erase(order_.begin());
    }
    return out;
  }
  void clear() {
    places_.clear();
    order_.clear();
  }

 private:
  using Entry = std::pair<Instant, Thing>;
  struct Earlier {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.first != b.first ? a.first < b.first : Before()(a.second, b.second);
    }
  };
  using Order = std::set<Entry, Earlier>;
  Order order_;
  std::map<Thing, typename Order::iterator, Before> places_;
};

}  // namespace rules
