#pragma once

#include <cstdint>
#include <vector>

#include "rules/base/time.hpp"
#include "rules/conditions/judgement.hpp"

namespace rules {

// A stretch of time under one verdict.
struct Segment {
  Instant from;
  Instant to;
  Verdict verdict = Verdict::unknown;
  std::int64_t samples = 0;  // polls that said so
};

// A bad span (SPEC 2.10): good and bad time in order, with unknown time as the gaps between.
//
// It begins with bad time, and at each of its moments the bad time so far was at least `quorum` of the
// observed time so far. Of all the beginnings that satisfy this within the last `stretch_max` it has the
// earliest. So what it is depends on the verdicts alone and not on when it is looked at, and more bad time
// can only make it longer.
class Span {
 public:
  Span(double quorum, Duration stretch_max);

  // Time under a verdict, adjoining or after what is there. Unknown time is not told.
  void extend(Verdict verdict, Instant from, Instant to);
  // A poll that said so.
  void sample(Verdict verdict, Instant at);
  // What is older than `stretch_max` slides out, and the beginning moves to where the quorum is met.
  void slide(Instant now);
  void clear() { segments_.clear(); }
  void assign(std::vector<Segment> segments) { segments_ = std::move(segments); }

  bool empty() const { return segments_.empty(); }
  const std::vector<Segment>& segments() const { return segments_; }
  Duration bad() const;
  Duration observed() const;
  std::int64_t bad_samples() const;
  Duration stretch_max() const { return stretch_max_; }

 private:
  void append(const Segment& segment);
  void settle();

  double quorum_;
  Duration stretch_max_;
  std::vector<Segment> segments_;
};

}  // namespace rules
