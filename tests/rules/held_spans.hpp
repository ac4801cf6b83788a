#pragma once

#include <optional>

#include "rules/sustain/span_keeping.hpp"

// What a journal keeps of SpansHeld, as the real one does in SQL.
class HeldSpans {
 public:
  // True: it is the first, other spans are to be forgotten.
  bool follow(const rules::SpansHeld& next) {
    const bool follows = known_ && next.after && known_->since == next.since && known_->at == *next.after;
    if (!next.after || follows) known_ = next;
    return !next.after;
  }
  void hold(rules::SpanRecord& record) const {
    if (known_) rules::hold(record, known_->since, known_->at);
  }

 private:
  std::optional<rules::SpansHeld> known_;
};
