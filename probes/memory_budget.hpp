#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "rules/base/names.hpp"

namespace probes {

inline constexpr std::int64_t memory_default = 64 * 1024 * 1024;  // bytes

// What all targets together may make us keep: answers while they are read, the series of pages, what windows have of
// them. Each target has an equal share that it may always use; more only while all together stay within the budget.
// Once they do not, whoever keeps more than the share is refused at the next poll, until it fits. So all together
// exceed it for one interval at most, and one target that floods us takes nothing from another's share.
// Bytes are counted as they are asked for; what the allocator adds is not. On the loop's thread only.
class MemoryBudget {
  struct Target {
    std::size_t accounts = 0;
    std::size_t asking = 0;        // bytes that its accounts hold
    std::size_t windows = 0;       // bytes of what it brought that are kept elsewhere
    std::size_t put_off = 0;       // polls in which nothing of it is kept
    std::size_t last_put_off = 0;  // how many they were
    std::size_t well = 0;          // polls since they were over
    std::size_t held() const { return asking + windows; }
  };
  using Key = std::pair<rules::ProbeName, std::size_t>;  // with the instance
  struct KeyLess {
    using is_transparent = void;  // who looks one up needs no copy of the name
    bool operator()(const auto& a, const auto& b) const {
      const auto& [one, instance] = a;
      const auto& [other, another] = b;
      return std::tie(one, instance) < std::tie(other, another);
    }
  };
  using Targets = std::map<Key, Target, KeyLess>;

 public:
  explicit MemoryBudget(std::size_t bytes = static_cast<std::size_t>(memory_default)) : bytes_(bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // What one target holds while it is asked and between two polls. One may have several accounts; they add up.
  class Account {
   public:
    // nullptr: nobody counts, anything fits.
    Account(MemoryBudget* budget, const rules::ProbeName& probe, std::size_t instance);
    ~Account();
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    // It holds so much now instead of what it held. False: that is too much, and it has to let go of it.
    bool hold(std::size_t bytes);
    // Once what it brings was refused nothing of it is kept for a while, longer each time: one that fills its windows
    // again and again would be well and refused in turns, and people told of each.
    void put_off();
    // To be asked once each poll.
    bool is_put_off();
    // How much more may be held at this time.
    std::size_t room() const;
    // For people, when it is too much: what is held, of how much, and what to do.
    std::string refusal() const;

   private:
    Target& target() { return place_->second; }
    const Target& target() const { return place_->second; }

    MemoryBudget* budget_;
    Targets::iterator place_;  // where somebody counts
    std::size_t held_ = 0;
  };

  // What windows keep of a target now. Nothing happens for one that has no account.
  void kept_in_windows(const rules::ProbeName& probe, std::size_t instance, std::size_t bytes);
  void resize(std::size_t bytes) { bytes_ = bytes; }
  std::size_t size() const { return bytes_; }
  std::size_t held() const { return held_; }

 private:
  std::size_t share() const { return bytes_ / (targets_.empty() ? 1 : targets_.size()); }
  bool fits(const Target& target) const { return target.held() <= share() || held_ <= bytes_; }

  std::size_t bytes_;
  std::size_t held_ = 0;
  Targets targets_;
};

}  // namespace probes
