#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "rules/base/time.hpp"

namespace rules {

// When each of a number of things is due; of the same time the one with the smaller number comes first. Setting one
// anew costs the logarithm of how many there are, and no memory: each poll does it several times. A heap in one block,
// and where in it each thing is.
class OrderedTimes {
 public:
  // None: it is not due at all.
  void set(std::size_t thing, std::optional<Instant> at) {
    if (thing >= places_.size()) {
      if (!at) return;
      places_.resize(thing + 1, nowhere);
    }
    const std::size_t place = places_[thing];
    if (!at) {
      if (place != nowhere) take_out(place);
    } else if (place == nowhere) {
      heap_.push_back({*at, static_cast<Number>(thing)});
      up(heap_.size() - 1);
    } else if (*at != heap_[place].at) {
      const bool sooner = *at < heap_[place].at;
      heap_[place].at = *at;
      sooner ? up(place) : down(place);
    }
  }
  std::optional<Instant> of(std::size_t thing) const {
    if (thing >= places_.size() || places_[thing] == nowhere) return std::nullopt;
    return heap_[places_[thing]].at;
  }
  // Instant::max(): nothing is due.
  Instant next() const { return heap_.empty() ? Instant::max() : heap_.front().at; }
  // Takes away what is due by then, the earliest first.
  std::vector<std::size_t> take(Instant now) {
    std::vector<std::size_t> out;
    while (next() <= now && !heap_.empty()) {
      out.push_back(heap_.front().thing);
      take_out(0);
    }
    return out;
  }
  void clear() {
    heap_.clear();
    places_.clear();
  }

 private:
  using Number = std::uint32_t;
  static constexpr Number nowhere = ~Number{};
  struct Entry {
    Instant at;
    Number thing = 0;
    friend bool operator<(const Entry& a, const Entry& b) { return a.at != b.at ? a.at < b.at : a.thing < b.thing; }
  };

  void put(std::size_t place, const Entry& entry) {
    heap_[place] = entry;
    places_[entry.thing] = static_cast<Number>(place);
  }
  void up(std::size_t place) {
    const Entry moved = heap_[place];
    while (place > 0 && moved < heap_[(place - 1) / 2]) {
      put(place, heap_[(place - 1) / 2]);
      place = (place - 1) / 2;
    }
    put(place, moved);
  }
  void down(std::size_t place) {
    const Entry moved = heap_[place];
    for (std::size_t child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
      if (!(heap_[child] < moved)) break;
      put(place, heap_[child]);
      place = child;
    }
    put(place, moved);
  }
  void take_out(std::size_t place) {
    places_[heap_[place].thing] = nowhere;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) return;
    put(place, last);
    down(place);
    up(places_[last.thing]);
  }

  std::vector<Entry> heap_;
  std::vector<Number> places_;
};

}  // namespace rules
