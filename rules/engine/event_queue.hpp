#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "rules/engine/events.hpp"

namespace rules {

// Events that are still to be heard, in the order of their times, and of equal times in that of their coming. Nearly
// all come in the order of their times, so they stand in one block, and a poll allocates nothing for its place.
class EventQueue {
 public:
  void add(Instant at, Event&& event) {
    if (heard_ > 0 && waiting_.size() == waiting_.capacity()) forget_heard();
    const auto later = [](Instant time, const Waiting& other) { return time < other.at; };
    const auto place = std::upper_bound(begin(), waiting_.end(), at, later);
    waiting_.insert(place, {at, std::move(event)});
  }
  bool empty() const { return heard_ == waiting_.size(); }
  // When the first of them was; Instant::max(): there is none.
  Instant next() const { return empty() ? Instant::max() : waiting_[heard_].at; }
  // Takes the first one away.
  Event take() {
    Event first = std::move(waiting_[heard_++].event);
    if (empty()) start_anew();
    return first;
  }

 private:
  struct Waiting {
    Instant at;
    Event event;
  };
  static constexpr std::size_t kept_max = 64;  // places of those that were heard; a burst's are given back

  std::vector<Waiting>::iterator begin() { return waiting_.begin() + static_cast<std::ptrdiff_t>(heard_); }
  void forget_heard() {
    waiting_.erase(waiting_.begin(), begin());
    heard_ = 0;
  }
  void start_anew() {
    heard_ = 0;
    if (waiting_.capacity() > kept_max)
      waiting_ = {};
    else
      waiting_.clear();
  }

  std::vector<Waiting> waiting_;  // those that were heard first, as long as their room is not needed
  std::size_t heard_ = 0;
};

}  // namespace rules
