#pragma once

#include "rules/conditions/judgement.hpp"

namespace rules {

// How many requests failed while an error ratio was bad: what its windows counted, laid end to end. A part of a window
// that overlaps the one before is taken as its share of the window's time.
class FailedRequests {
 public:
  // What the rule sees now. Nothing is counted once it is good again, nor of a condition without an error ratio.
  void see(const Judgement& now);

  bool is_counted() const { return counted_; }
  double failed() const;
  double requests() const;

 private:
  // What is counted of one.
  struct Window {
    Instant newest;
    Duration length{};
    double failed = 0;
    double requests = 0;
  };
  void see_window(const Window& window);
  double share() const;  // of the newest window: what came after the counted ones
  void count_newest();

  bool counted_ = false;
  bool was_bad_ = false;
  double failed_ = 0;
  double requests_ = 0;
  Instant until_;  // counted so far
  Window newest_;  // not counted yet, but for what came before `until_`
};

}  // namespace rules
