#include "rules/sustain/span_keeping.hpp"

#include <doctest/doctest.h>

#include "held_spans.hpp"

using namespace rules;
using namespace std::chrono_literals;

namespace {

constexpr Instant start(1000s);

SpanRecord good_since(const char* rule, Instant from, Instant saved_at) {
  SpanRecord record;
  record.rule = RuleName(rule);
  record.fingerprint = "the same";
  record.segments = {{from, saved_at + 3s, Verdict::good, 0}};
  record.saved_at = saved_at;
  return record;
}

SpanRecord bad_since(const char* rule, Instant from, Instant saved_at) {
  SpanRecord record = good_since(rule, from, saved_at);
  record.state = RuleState::pending;
  record.segments.front().verdict = Verdict::bad;
  return record;
}

// What a journal would hold of one rule after these saves.
struct Kept {
  std::map<RuleName, SpanRecord> spans;
  HeldSpans held;

  void save(const SpanChanges& changes) {
    if (held.follow(changes.rest)) spans.clear();
    for (const SpanRecord& record : changes.changed) spans[record.rule] = record;
  }
  SpanRecord read(const char* rule) const {
    SpanRecord record = spans.at(RuleName(rule));
    held.hold(record);
    return record;
  }
};

}  // namespace

TEST_CASE("span keeping: what stays good is written once, and read back as of the newest save") {
  SpanKeeping keeping;
  Kept kept;
  kept.save(keeping.changes({good_since("errors", start, start + 5s)}, start + 5s));
  const SpanChanges second = keeping.changes({good_since("errors", start, start + 10s)}, start + 10s);
  CHECK(second.changed.empty());
  kept.save(second);
  const SpanRecord read = kept.read("errors");
  CHECK(read.saved_at == start + 10s);
  CHECK(read.segments.front().from == start);
  CHECK(read.segments.front().to == start + 10s);
}

TEST_CASE("span keeping: what is bad, and what became good since another time, is written each time") {
  SpanKeeping keeping;
  CHECK(keeping.changes({bad_since("errors", start, start + 5s)}, start + 5s).changed.size() == 1);
  CHECK(keeping.changes({bad_since("errors", start, start + 10s)}, start + 10s).changed.size() == 1);
  CHECK(keeping.changes({good_since("errors", start + 12s, start + 15s)}, start + 15s).changed.size() == 1);
  CHECK(keeping.changes({good_since("errors", start + 13s, start + 20s)}, start + 20s).changed.size() == 1);
  CHECK(keeping.changes({good_since("errors", start + 13s, start + 25s)}, start + 25s).changed.empty());
  SpanRecord other = good_since("errors", start + 13s, start + 30s);
  other.fingerprint = "means something else";
  CHECK(keeping.changes({other}, start + 30s).changed.size() == 1);
}

TEST_CASE("span keeping: a verdict that did not hold any more when it was saved does not hold later") {
  SpanKeeping keeping;
  SpanRecord stale = good_since("errors", start, start + 5s);
  stale.segments.front().to = start + 4s;
  keeping.changes({stale}, start + 5s);
  stale.saved_at = start + 10s;
  CHECK(keeping.changes({stale}, start + 10s).changed.size() == 1);
}

TEST_CASE("span keeping: a save that failed makes nothing hold that was to be written with it") {
  SpanKeeping keeping;
  Kept kept;
  kept.save(keeping.changes({good_since("errors", start, start + 5s)}, start + 5s));
  keeping.changes({bad_since("errors", start + 7s, start + 10s)}, start + 10s);  // lost
  // Good again since before it was bad, were only the newest looked at; saved before the loss was known.
  kept.save(keeping.changes({good_since("errors", start + 12s, start + 15s)}, start + 15s));
  CHECK(kept.read("errors").saved_at == start + 15s);  // as it was written
  keeping.forget();
  const SpanChanges anew = keeping.changes({good_since("errors", start + 12s, start + 20s)}, start + 20s);
  CHECK(anew.changed.size() == 1);
  kept.save(anew);
  kept.save(keeping.changes({good_since("errors", start + 12s, start + 25s)}, start + 25s));
  CHECK(kept.read("errors").saved_at == start + 25s);
}

TEST_CASE("span keeping: nothing holds by the second save when the first was lost") {
  SpanKeeping keeping;
  Kept kept;
  kept.save(keeping.changes({good_since("errors", start, start + 5s)}, start + 5s));
  keeping.forget();
  keeping.changes({bad_since("errors", start + 7s, start + 10s)}, start + 10s);  // lost
  kept.save(keeping.changes({good_since("errors", start + 12s, start + 15s)}, start + 15s));
  keeping.forget();
  CHECK_FALSE(keeping.changes({good_since("errors", start + 12s, start + 20s)}, start + 20s).rest.after);
  CHECK(kept.read("errors").saved_at == start + 15s);
}

TEST_CASE("span keeping: rules that are taken out and put back do not hold over the time between") {
  SpanKeeping keeping;
  Kept kept;
  kept.save(
      keeping.changes({good_since("errors", start, start + 5s), good_since("slow", start, start + 5s)}, start + 5s));
  kept.save(keeping.changes({good_since("slow", start, start + 10s)}, start + 10s));
  kept.save(keeping.changes({good_since("slow", start, start + 15s)}, start + 15s));
  CHECK_FALSE(kept.spans.contains(RuleName("errors")));
  CHECK(kept.read("slow").saved_at == start + 15s);
  SpanKeeping next;  // started without a rule
  const SpanChanges none = next.changes({}, start + 1h);
  CHECK_FALSE(none.rest.after);
  kept.save(none);
  kept.save(next.changes({}, start + 2h));
  CHECK(kept.spans.empty());
}

TEST_CASE("span keeping: what is bad never holds by itself") {
  SpanRecord record = bad_since("errors", start, start + 5s);
  hold(record, start, start + 1h);
  CHECK(record.saved_at == start + 5s);
}
