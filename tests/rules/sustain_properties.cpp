#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "sustain_driver.hpp"

// Properties over many random streams of verdicts. A failure prints the seed of its stream.

using rules::Fresh;
using rules::RuleTracker;
using rules::Verdict;
using sustain_test::judged;

namespace {

// Times are whole ticks, so that a slow and obvious computation in integers can stand beside the tracker.
rules::Instant tick(int n) { return rules::Instant(std::chrono::milliseconds(100) * n); }
rules::Duration ticks(int n) { return std::chrono::milliseconds(100) * n; }

struct Look {
  int at = 0;
  int valid_until = 0;
  Verdict when = Verdict::unknown;
  Verdict newest_part = Verdict::unknown;
  Verdict clear = Verdict::unknown;
  Fresh fresh = Fresh::sample;
};

struct Stream {
  int sustain = 0;      // ticks
  int good_weight = 9;  // quorum = good_weight / (good_weight + 1)
  bool has_clear = false;
  std::vector<Look> looks;

  rules::RuleSpec rule() const {
    rules::RuleSpec spec;
    spec.sustain = ticks(sustain);
    spec.quorum = static_cast<double>(good_weight) / (good_weight + 1);
    if (has_clear) spec.clear = rules::Condition();
    return spec;
  }
  std::shared_ptr<const rules::RuleSpec> shared_rule() const { return std::make_shared<const rules::RuleSpec>(rule()); }
  int stretch() const { return sustain == 0 ? 600 : sustain * 5 / 3; }
};

constexpr unsigned seeds = 2000;
constexpr int looks = 60;  // of a stream

using Random = std::mt19937;

int below(Random& random, int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); }

Verdict verdict_from(Random& random, int bad_of_100, int good_of_100) {
  const int drawn = below(random, 100);
  if (drawn < bad_of_100) return Verdict::bad;
  return drawn < bad_of_100 + good_of_100 ? Verdict::good : Verdict::unknown;
}

Stream stream_from(unsigned seed) {
  Random random(seed);
  Stream stream;
  stream.sustain = std::vector<int>{0, 3, 12, 30, 60, 120}[static_cast<std::size_t>(below(random, 6))];
  stream.good_weight = std::vector<int>{1, 4, 9, 19}[static_cast<std::size_t>(below(random, 4))];
  const int step_max = 1 + below(random, 20);
  const int bad = 50 + below(random, 50);
  const int good = below(random, 100 - bad + 1) / (1 + below(random, 4));
  stream.has_clear = below(random, 3) == 0;
  int now = 0;
  for (int i = 0; i < looks; ++i) {
    now += 1 + below(random, step_max);
    Look look;
    look.at = now;
    look.valid_until = now + 1 + below(random, 2 * step_max);
    look.when = verdict_from(random, bad, good);
    look.newest_part = below(random, 10) == 0 ? Verdict::good : look.when;
    look.clear = verdict_from(random, 50, 40);
    look.fresh = below(random, 8) == 0 ? Fresh::same_evidence : Fresh::sample;
    stream.looks.push_back(look);
  }
  return stream;
}

void show(RuleTracker& tracker, const Look& look) {
  const rules::Instant until = tick(look.valid_until);
  tracker.observe(tick(look.at), judged(look.when, until), judged(look.clear, until), judged(look.newest_part, until),
                  look.fresh);
}

struct Decision {
  std::size_t look = 0;
  bool fired = false;
  friend bool operator==(const Decision&, const Decision&) = default;
};

void take(RuleTracker& tracker, std::size_t look, std::vector<Decision>& decisions) {
  if (tracker.take_recovered()) decisions.push_back({look, false});
  if (tracker.take_fired()) decisions.push_back({look, true});
}

std::vector<Decision> decisions_of(const Stream& stream) {
  RuleTracker tracker(stream.shared_rule(), "", tick(0));
  std::vector<Decision> decisions;
  for (std::size_t i = 0; i < stream.looks.size(); ++i) {
    show(tracker, stream.looks[i]);
    take(tracker, i, decisions);
  }
  return decisions;
}

std::optional<std::size_t> first_firing(const Stream& stream) {
  RuleTracker tracker(stream.shared_rule(), "", tick(0));
  for (std::size_t i = 0; i < stream.looks.size(); ++i) {
    show(tracker, stream.looks[i]);
    if (tracker.take_fired()) return i;
  }
  return std::nullopt;
}

// The first firing straight from the sentences of the specification, over the whole history at each tick.
class Obvious {
 public:
  explicit Obvious(const Stream& stream) : stream_(stream), end_(stream.looks.back().at + 1) {
    verdicts_.assign(static_cast<std::size_t>(end_), Verdict::unknown);
    for (std::size_t i = 0; i < stream.looks.size(); ++i) {
      const Look& look = stream.looks[i];
      const int next = i + 1 < stream.looks.size() ? stream.looks[i + 1].at : end_;
      for (int t = look.at; t < std::min(next, look.valid_until); ++t) verdict(t) = look.when;
    }
  }

  std::optional<std::size_t> first_firing() {
    bool confirming = false;
    int last_bad_end = 0;
    std::size_t next = 0;
    for (int t = 0; t < end_; ++t) {
      if (t > 0 && verdict(t - 1) == Verdict::bad) {
        last_bad_end = t;
        if (full(t, next)) confirming = true;
      }
      if (confirming && t - last_bad_end >= stream_.stretch()) confirming = false;
      if (next == stream_.looks.size() || stream_.looks[next].at != t) continue;
      const Look& look = stream_.looks[next];
      ++next;
      if (look.when == Verdict::good) confirming = false;
      if (look.when != Verdict::bad) continue;
      last_bad_end = t;
      if (confirming && look.fresh == Fresh::sample && look.newest_part != Verdict::good) return next - 1;
      if (full(t, next)) confirming = true;
    }
    return std::nullopt;
  }

 private:
  Verdict& verdict(int t) { return verdicts_[static_cast<std::size_t>(t)]; }

  // Whether (bad - weighted good) since `begin` was never below 0 up to `end`, and it begins with bad time.
  bool is_span(int begin, int end) {
    if (begin < end && verdict(begin) != Verdict::bad) return false;
    int balance = 0;
    for (int t = begin; t < end; ++t) {
      if (verdict(t) == Verdict::bad) balance += 1;
      if (verdict(t) == Verdict::good) balance -= stream_.good_weight;
      if (balance < 0) return false;
    }
    return true;
  }

  // Whether the longest span up to `now`, of which the first `seen` looks are known, holds all of `for`.
  bool full(int now, std::size_t seen) {
    for (int begin = std::max(0, now - stream_.stretch()); begin <= now; ++begin) {
      if (!is_span(begin, now)) continue;
      int observed = 0;
      for (int t = begin; t < now; ++t) observed += verdict(t) == Verdict::unknown ? 0 : 1;
      return observed >= stream_.sustain && bad_samples(begin, now, seen) >= (stream_.sustain == 0 ? 1 : 2);
    }
    return false;
  }

  // Of the bad time that reaches into the span, from where it became bad without interruption.
  int bad_samples(int begin, int now, std::size_t seen) {
    int from = begin;
    while (from > 0 && verdict(from - 1) == Verdict::bad && (begin == now || verdict(begin) == Verdict::bad)) --from;
    int count = 0;
    for (std::size_t i = 0; i < seen; ++i) {
      const Look& look = stream_.looks[i];
      const bool counts = look.when == Verdict::bad && look.fresh == Fresh::sample;
      if (counts && look.at >= from && look.at <= now) ++count;
    }
    return count;
  }

  const Stream& stream_;
  int end_;
  std::vector<Verdict> verdicts_;
};

int bad_ticks_before(const Stream& stream, std::size_t begin, std::size_t end) {
  int sum = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const Look& look = stream.looks[i];
    if (look.when == Verdict::bad) sum += std::min(stream.looks[i + 1].at, look.valid_until) - look.at;
  }
  return sum;
}

}  // namespace

TEST_CASE("SPEC 2.10: no rule fires on less than quorum x `for` of measured bad time, over random streams") {
  int firings = 0;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    const Stream stream = stream_from(seed);
    std::size_t begin = 0;
    for (const Decision& decision : decisions_of(stream)) {
      if (decision.fired) {
        ++firings;
        const double least = stream.rule().quorum * stream.sustain;
        REQUIRE(bad_ticks_before(stream, begin, decision.look) >= least - 1e-6);
      }
      // A recovery lies somewhere between two looks: what was bad before the later of them is good or unknown
      // time.
      begin = decision.fired ? decision.look : decision.look - 1;
    }
  }
  CHECK(firings > static_cast<int>(seeds) / 2);
}

TEST_CASE("SPEC 2.10: it fires when the sentences of the specification say so, over random streams") {
  int firings = 0;
  for (unsigned seed = 0; seed < seeds / 4; ++seed) {
    CAPTURE(seed);
    const Stream stream = stream_from(seed);
    const auto fired = first_firing(stream);
    if (fired) ++firings;
    REQUIRE(fired == Obvious(stream).first_firing());
  }
  CHECK(firings > static_cast<int>(seeds) / 16);
}

TEST_CASE("SPEC 2.1: turning any bad into unknown never makes a rule fire earlier, over random streams") {
  int delayed = 0;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    const Stream stream = stream_from(seed);
    const auto fired = first_firing(stream);
    Random random(seed + 1'000'000);
    for (int variant = 0; variant < 3; ++variant) {
      Stream less = stream;
      const int share = 1 + below(random, 60);
      for (Look& look : less.looks) {
        if (look.when == Verdict::bad && below(random, 100) < share) look.when = Verdict::unknown;
      }
      const auto fired_less = first_firing(less);
      if (!fired_less) continue;
      REQUIRE(fired);
      REQUIRE(*fired <= *fired_less);
      if (*fired < *fired_less) ++delayed;
    }
  }
  CHECK(delayed > 100);
}

TEST_CASE("SPEC 2.13: cutting the stream anywhere and going on from the record gives the same decisions") {
  for (unsigned seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    const Stream stream = stream_from(seed);
    Random random(seed + 2'000'000);
    const std::size_t cut = static_cast<std::size_t>(below(random, static_cast<int>(stream.looks.size())));
    // Between the look before the cut and the one after it.
    const int from = cut == 0 ? 0 : stream.looks[cut - 1].at;
    const int cut_at = from + below(random, stream.looks[cut].at - from + 1);
    CAPTURE(cut);
    CAPTURE(cut_at);
    RuleTracker before(stream.shared_rule(), "", tick(0));
    std::vector<Decision> decisions;
    for (std::size_t i = 0; i < cut; ++i) {
      show(before, stream.looks[i]);
      take(before, i, decisions);
    }
    before.advance(tick(cut_at));
    take(before, cut, decisions);
    RuleTracker after(stream.shared_rule(), "", tick(cut_at));
    after.restore(before.record(tick(cut_at)), tick(cut_at), ticks(0));
    for (std::size_t i = cut; i < stream.looks.size(); ++i) {
      show(after, stream.looks[i]);
      take(after, i, decisions);
    }
    REQUIRE(decisions == decisions_of(stream));
  }
}

TEST_CASE("Being asked late or often changes no decision, over random streams") {
  for (unsigned seed = 0; seed < seeds / 2; ++seed) {
    CAPTURE(seed);
    const Stream stream = stream_from(seed);
    RuleTracker tracker(stream.shared_rule(), "", tick(0));
    std::vector<Decision> decisions;
    for (std::size_t i = 0; i < stream.looks.size(); ++i) {
      for (auto due = tracker.deadline(); due && *due <= tick(stream.looks[i].at); due = tracker.deadline()) {
        REQUIRE(*due > tick(0));
        tracker.advance(*due);
        take(tracker, i, decisions);
      }
      show(tracker, stream.looks[i]);
      take(tracker, i, decisions);
    }
    REQUIRE(decisions == decisions_of(stream));
  }
}
