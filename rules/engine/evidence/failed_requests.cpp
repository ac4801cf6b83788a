#include "rules/engine/evidence/failed_requests.hpp"

#include <algorithm>
#include <utility>

namespace rules {

namespace {

// A ratio with errors; nullptr: there is none. Where several are concerned, the first.
const Measured* ratio_of(const Judgement& judgement) {
  for (const Comparison& one : judgement.comparisons) {
    const Measured& value = one.value;
    if (value.errors > 0 && value.count > 0 && value.window > Duration::zero()) return &value;
  }
  return nullptr;
}

}  // namespace

void FailedRequests::see(const Judgement& now) {
  const bool is_bad = now.verdict == Verdict::bad;
  const bool just_over = now.verdict == Verdict::good && std::exchange(was_bad_, false);
  if (!is_bad && !just_over) return;
  was_bad_ = is_bad;
  const Measured* window = ratio_of(now);
  if (window == nullptr || (just_over && !counted_)) return;
  see_window({window->newest, window->window, window->errors, window->count});
}

void FailedRequests::see_window(const Window& window) {
  const Instant begin = window.newest - window.length;
  if (!counted_) {
    counted_ = true;
    until_ = begin;
  } else if (window.newest <= newest_.newest) {
    return;
  } else if (begin >= until_) {
    // A window that begins anew leaves out what the one before had in its newest part.
    count_newest();
    until_ = std::max(until_, begin);
  }
  newest_ = window;
}

double FailedRequests::share() const {
  if (!counted_ || newest_.length <= Duration::zero()) return 0;
  return std::clamp(seconds(newest_.newest - until_) / seconds(newest_.length), 0.0, 1.0);
}

void FailedRequests::count_newest() {
  failed_ += newest_.failed * share();
  requests_ += newest_.requests * share();
  until_ = newest_.newest;
}

double FailedRequests::failed() const { return failed_ + newest_.failed * share(); }
double FailedRequests::requests() const { return requests_ + newest_.requests * share(); }

}  // namespace rules
