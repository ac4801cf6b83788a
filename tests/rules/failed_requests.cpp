#include "rules/engine/evidence/failed_requests.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace std::chrono_literals;
using rules::FailedRequests;
using rules::Verdict;

namespace {

rules::Instant at(double seconds) { return rules::from_unix_seconds(1795226584 + seconds); }

// An error ratio whose window ends at `end`.
rules::Judgement seen(Verdict verdict, double end, rules::Duration window, double errors, double count) {
  rules::Comparison ratio;
  ratio.value.value = count > 0 ? errors / count : 0;
  ratio.value.errors = errors;
  ratio.value.count = count;
  ratio.value.window = window;
  ratio.value.newest = at(end);
  rules::Judgement out;
  out.verdict = verdict;
  out.comparisons = {ratio};
  return out;
}

FailedRequests counted(const std::vector<rules::Judgement>& windows) {
  FailedRequests failed;
  for (const rules::Judgement& window : windows) failed.see(window);
  return failed;
}

}  // namespace

TEST_CASE("failed requests of windows that overlap are counted once") {
  FailedRequests failed;
  // 10 errors and 100 requests a second for five minutes, seen every 5 s over a window of one minute.
  for (double end = 60; end <= 300; end += 5) failed.see(seen(Verdict::bad, end, 60s, 600, 6000));
  CHECK(failed.is_counted());
  CHECK(failed.failed() == doctest::Approx(3000));
  CHECK(failed.requests() == doctest::Approx(30000));
}

TEST_CASE("the same window seen again counts nothing") {
  FailedRequests failed;
  for (int i = 0; i < 10; ++i) failed.see(seen(Verdict::bad, 60, 60s, 30, 600));
  CHECK(failed.failed() == doctest::Approx(30));
}

TEST_CASE("windows that begin anew after a switch lose nothing of those before") {
  const FailedRequests failed = counted({seen(Verdict::bad, 60, 60s, 600, 6000), seen(Verdict::bad, 90, 60s, 600, 6000),
                                         seen(Verdict::bad, 110, 10s, 100, 1000)});
  CHECK(failed.failed() == doctest::Approx(1000));
}

TEST_CASE("what comes after it is good again is not counted, nor what cannot be measured") {
  FailedRequests failed = counted({seen(Verdict::bad, 60, 60s, 600, 6000), seen(Verdict::unknown, 90, 60s, 600, 6000),
                                   seen(Verdict::good, 120, 60s, 60, 6000)});
  const double over = failed.failed();
  CHECK(over == doctest::Approx(660));
  failed.see(seen(Verdict::good, 180, 60s, 60, 6000));
  CHECK(failed.failed() == over);
}

TEST_CASE("a condition without an error ratio counts no requests") {
  FailedRequests failed;
  failed.see(seen(Verdict::bad, 60, 60s, 0, 6000));
  CHECK_FALSE(failed.is_counted());
  CHECK(failed.failed() == 0);
}
