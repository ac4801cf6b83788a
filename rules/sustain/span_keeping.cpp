#include "rules/sustain/span_keeping.hpp"

#include <algorithm>
#include <functional>
#include <string>
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

std::uint64_t hash(const std::string& text) { return std::hash<std::string>()(text); }

}  // namespace

SpanKeeping::Saved::Saved(const SpanRecord& record)
    : rule(hash(record.rule.text)),
      meaning(hash(record.fingerprint)),
      firing_since(record.firing_since),
      is_steady(rules::is_steady(record)) {
  if (!record.segments.empty()) since = record.segments.front().from;
}

bool SpanKeeping::Saved::still_holds(const Saved& now) const {
  return is_steady && now.is_steady && meaning == now.meaning && firing_since == now.firing_since && since == now.since;
}

SpanChanges SpanKeeping::changes(std::vector<SpanRecord> all, Instant now) {
  // Both are in the order of the rules' names.
  const bool same_rules =
      std::equal(all.begin(), all.end(), saved_.begin(), saved_.end(),
                 [](const SpanRecord& record, const Saved& saved) { return hash(record.rule.text) == saved.rule; });
  if (!held_ || !same_rules) {
    saved_.clear();
    saved_.reserve(all.size());
    since_ = now;
    held_.reset();
  }
  SpanChanges out{{since_, std::exchange(held_, now), now}, {}};
  const bool all_are_new = saved_.empty();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Saved fresh(all[i]);
    if (all_are_new) {
      saved_.push_back(fresh);
    } else {
      if (saved_[i].still_holds(fresh)) continue;
      saved_[i] = fresh;
    }
    out.changed.push_back(std::move(all[i]));
  }
  return out;
}

void hold(SpanRecord& record, Instant since, Instant until) {
  if (!is_steady(record) || record.saved_at < since || record.saved_at >= until) return;
  if (!record.segments.empty()) record.segments.back().to = until;
  record.saved_at = until;
}

}  // namespace rules
