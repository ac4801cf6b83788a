#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "dice.hpp"
#include "rules/base/poll.hpp"
#include "rules/sustain/rule_spec.hpp"

namespace sim {

// What a rule of these worlds is about.
enum class About {
  errors,  // more than 5 % of requests failed
  slow,    // more than 5 % took longer than a second
  memory,  // more than 90 % of the limit is used
  down,    // the health page does not answer
};
About about(const rules::RuleName& rule);
std::string probe_of(const rules::RuleSpec& rule);

// How bad one rule's probe was measured to be, worked out from what the polls brought and by another way than the
// core's: counters are compared directly, spans are searched for and not kept.
class Measured {
 public:
  Measured(const rules::RuleSpec& rule, Duration interval, Duration max_gap);

  void add(const rules::Poll& poll);
  // Nothing from before counts for a span.
  void spans_begin(Instant at) { counts_from_ = std::max(counts_from_, at); }

  // Until then what is good may be left out: it may not be up yet.
  void may_warm_up_until(Instant at) { warming_.emplace_back(last_, at); }
  // Whether some span that ends now satisfies quorum, `for`, and the number of bad samples: what any firing needs.
  // Only evidence since `from` counts.
  bool could_fire(Instant now, Instant from) const;
  bool could_fire(Instant now) const { return could_fire(now, counts_from_); }
  // Bad at every poll since then, beyond doubt: whichever window of those that are allowed is taken.
  std::optional<Instant> surely_bad_since() const { return surely_bad_since_; }
  // Bad beyond doubt so short a time ago, and not while it may have been warming up.
  bool surely_bad_within(Duration d, Instant now) const {
    return surely_bad_at_ != Instant::min() && now < surely_bad_at_ + d;
  }
  // Good at every poll since then, beyond doubt and without a gap.
  std::optional<Instant> surely_good_since() const { return surely_good_since_; }
  // When it was last without a sure bad sample for as long as a recovery takes.
  Instant could_clear_at() const { return could_clear_at_; }
  // When something was measured last.
  Instant known_at() const { return known_at_; }
  // What was measured lately, for people: + could be bad, - is good, ? unknown, and the seconds in between.
  std::string story(Instant now) const;
  // Could be good at the newest poll that says anything.
  bool could_be_good() const { return !surely_bad_since_.has_value(); }

 private:
  struct Seen {
    Instant at;
    bool known = false;
    bool could_be_bad = false;
    double all = 0;
    double bad = 0;
    double start = 0;
  };
  Seen read(const rules::Poll& poll) const;
  bool may_be_left_out(const Seen& seen) const;
  bool has_window(const Seen& seen) const;
  bool has_traffic(const Seen& seen) const;
  bool could_be_bad(const Seen& seen) const;
  bool is_surely_bad(const Seen& seen) const;
  void note_good(const Seen& seen, bool broken);

  rules::RuleSpec rule_;
  About about_;
  Duration interval_;
  Duration max_gap_;
  Instant counts_from_ = Instant::min();
  Instant last_ = Instant::min();
  Instant surely_bad_at_ = Instant::min();
  Instant known_at_ = Instant::min();
  std::deque<std::pair<Instant, Instant>> warming_;
  std::optional<Instant> surely_bad_since_;
  std::optional<Instant> surely_good_since_;
  std::optional<Instant> maybe_good_since_;
  Instant could_clear_at_ = Instant::min();
  std::deque<Seen> seen_;
};

}  // namespace sim
