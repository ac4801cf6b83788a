#include "rules/sustain/span.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <iterator>

namespace rules {

namespace {

// Segments, not polls: a condition that flaps at every poll of one second for over an hour. Beyond that the
// oldest are given up, which can only delay a firing.
constexpr std::size_t segments_max = 8192;

std::ptrdiff_t offset(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

}  // namespace

Span::Span(double quorum, Duration stretch_max) : quorum_(quorum), stretch_max_(stretch_max) {
  assert(stretch_max > Duration::zero());
}

void Span::append(const Segment& segment) {
  assert(segment.verdict != Verdict::unknown);
  assert(segment.from <= segment.to);
  if (segments_.empty() && segment.verdict == Verdict::good) return;
  const bool adjoins = !segments_.empty() && segments_.back().to >= segment.from;
  if (adjoins && segments_.back().verdict == segment.verdict) {
    segments_.back().to = std::max(segments_.back().to, segment.to);
    segments_.back().samples += segment.samples;
    return;
  }
  if (segments_.size() == segments_max) segments_.erase(segments_.begin());
  segments_.push_back(segment);
}

void Span::extend(Verdict verdict, Instant from, Instant to) { append({from, to, verdict, 0}); }

void Span::sample(Verdict verdict, Instant at) { append({at, at, verdict, 1}); }

void Span::slide(Instant now) {
  const Instant edge = now - stretch_max_;
  const auto kept = std::find_if(segments_.begin(), segments_.end(), [edge](const Segment& s) { return s.to > edge; });
  segments_.erase(segments_.begin(), kept);
  if (!segments_.empty()) segments_.front().from = std::max(segments_.front().from, edge);
  settle();
}

// A beginning whose bad time falls below the quorum is given up for the next bad segment. What follows a
// beginning that was given up cannot have been better off by beginning in between: up to there the quorum was
// met.
void Span::settle() {
  std::size_t begin = 0;
  Duration bad{};
  Duration observed{};
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Duration length = segments_[i].to - segments_[i].from;
    observed += length;
    if (segments_[i].verdict == Verdict::bad) {
      bad += length;
      continue;
    }
    const double least = quorum_ * static_cast<double>(observed.count());
    if (begin != i && static_cast<double>(bad.count()) >= least) continue;
    begin = i + 1;
    bad = observed = Duration::zero();
  }
  segments_.erase(segments_.begin(), segments_.begin() + offset(begin));
}

Duration Span::bad() const {
  Duration sum{};
  for (const Segment& segment : segments_) {
    if (segment.verdict == Verdict::bad) sum += segment.to - segment.from;
  }
  return sum;
}

Duration Span::observed() const {
  Duration sum{};
  for (const Segment& segment : segments_) sum += segment.to - segment.from;
  return sum;
}

std::int64_t Span::bad_samples() const {
  std::int64_t sum = 0;
  for (const Segment& segment : segments_) {
    if (segment.verdict == Verdict::bad) sum += segment.samples;
  }
  return sum;
}

}  // namespace rules
