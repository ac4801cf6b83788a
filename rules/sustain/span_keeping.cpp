#include "rules/sustain/span_keeping.hpp"

#include <algorithm>
#include <utility>

namespace rules {

namespace {

// It says nothing but "good since then" or "nothing known", and did so when it was saved.
bool is_steady(const SpanRecord& record) {
  if (record.state != RuleState::idle || record.withheld_since || record.confirmed_unknown) return false;
  if (record.segments.empty()) return true;
  const Segment& only = record.segments.front();
  return record.segments.size() == 1 && only.verdict == Verdict::good && only.to >= record.saved_at;
}

bool still_holds(const SpanRecord& saved, const SpanRecord& now) {
  if (!is_steady(saved) || !is_steady(now)) return false;
  if (saved.fingerprint != now.fingerprint || saved.firing_since != now.firing_since) return false;
  if (saved.segments.size() != now.segments.size()) return false;
  return saved.segments.empty() || saved.segments.front().from == now.segments.front().from;
}

}  // namespace

SpanChanges SpanKeeping::changes(std::vector<SpanRecord> all, Instant now) {
  // Both are in the order of the rules' names.
  const bool same_rules =
      std::equal(all.begin(), all.end(), saved_.begin(), saved_.end(),
                 [](const SpanRecord& record, const auto& saved) { return record.rule == saved.first; });
  if (!held_ || !same_rules) {
    saved_.clear();
    since_ = now;
    held_.reset();
  }
  SpanChanges out{{since_, std::exchange(held_, now), now}, {}};
  const bool all_are_new = saved_.empty();
  auto known = saved_.begin();
  for (SpanRecord& record : all) {
    if (all_are_new) {
      saved_.emplace_hint(saved_.end(), record.rule, record);
    } else {
      SpanRecord& saved = (known++)->second;
      if (still_holds(saved, record)) continue;
      saved = record;
    }
    out.changed.push_back(std::move(record));
  }
  return out;
}

void hold(SpanRecord& record, Instant since, Instant until) {
  if (!is_steady(record) || record.saved_at < since || record.saved_at >= until) return;
  if (!record.segments.empty()) record.segments.back().to = until;
  record.saved_at = until;
}

}  // namespace rules
