#pragma once

#include <functional>
#include <map>
#include <utility>

#include "dice.hpp"

namespace sim {

// What is going to happen, in order. Each entry has an owner: the world, or one life of a watcher, with which it ends.
class Agenda {
 public:
  static constexpr int of_the_world = 0;

  explicit Agenda(Instant start) : now_(start) {}
  Instant now() const { return now_; }
  void pass_to(Instant now) { now_ = now; }

  void add(int owner, Duration in, std::function<void()> what) {
    entries_.emplace(now_ + in, std::pair(owner, std::move(what)));
  }
  void drop(int owner) {
    std::erase_if(entries_, [owner](const auto& entry) { return entry.second.first == owner; });
  }
  // The owner's process stands still for so long.
  void delay(int owner, Duration by) {
    std::multimap<Instant, std::pair<int, std::function<void()>>> later;
    for (auto& [at, entry] : entries_) later.emplace(entry.first == owner ? at + by : at, std::move(entry));
    entries_ = std::move(later);
  }
  Instant next() const { return entries_.empty() ? Instant::max() : entries_.begin()->first; }
  // Does the first entry, which is due.
  void do_next() {
    const auto what = std::move(entries_.begin()->second.second);
    entries_.erase(entries_.begin());
    what();
  }

 private:
  Instant now_;
  std::multimap<Instant, std::pair<int, std::function<void()>>> entries_;
};

}  // namespace sim
