#pragma once

#include <optional>
#include <utility>

#include "rules/engine/effects.hpp"
#include "rules/engine/events.hpp"

namespace rules {

// A look at what runs that was asked for, and its answer. One that does not come in time counts as one that could not
// be read.
class RunningLook {
 public:
  void ask(const ServiceName& service, Effects& effects);
  // Takes it when it was asked for and began afterwards.
  void saw(const RevisionRead& read);
  void forget();  // nothing is asked
  void start_over();

  bool is_asked() const { return asked_.has_value(); }
  bool is_over(Instant now) const;  // answered, or not in time
  // What it saw to run; none: it could not be read, or there is no answer yet.
  std::optional<Revision> running() const { return read_ ? read_->revision : std::nullopt; }
  // What our own switch was to bring that was broken off where nobody can tell what runs; none: it was not.
  std::optional<Revision> broken_off() const { return read_ ? read_->broken_off : std::nullopt; }
  // Counts one more look that could not be read; true when those are too many.
  bool count_failure() { return ++failed_ >= failed_max; }
  // True once: what it saw is to be seen a second time.
  bool take_second_opinion() { return !std::exchange(doubted_, true); }
  void add_deadlines(std::vector<Instant>& out) const;

 private:
  // Looks that may fail before it is gone on without: an identity that only the broken application can tell must not
  // keep it from being rolled back.
  static constexpr int failed_max = 2;
  std::optional<Instant> asked_;
  std::optional<RevisionRead> read_;
  int failed_ = 0;
  bool doubted_ = false;
};

}  // namespace rules
