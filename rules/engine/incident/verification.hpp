#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "rules/engine/config.hpp"
#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/own_trouble.hpp"
#include "rules/engine/revisions/revisions.hpp"

namespace rules {

// What became of an action, as far as can be told.
struct Verified {
  Outcome outcome = Outcome::unverifiable;
  std::string why;
};

// How long verifying keeps the host's lock: what is started needs its time alone, not what is looked at for hours.
inline constexpr Duration lock_kept_max = std::chrono::minutes(5);

// Whether what was done has helped (SPEC 2.26, 2.27). A view: it reads, and changes nothing.
class Verification {
 public:
  struct View {
    Instant now;
    const CoreConfig& config;
    const ServiceSpec& service;
    const IncidentRecord& incident;
    const ActionSpec* plan;  // nullptr: gone from the configuration over a restart
    const Evidence& evidence;
    const Revisions& revisions;
    Mode cap;
    std::optional<Instant> verify_since;  // the plan's verify.when has been true since
  };
  explicit Verification(const View& view) : view_(view) {}

  // What it covers: every rule that joined and has a say; by hand, every rule that acts or asks.
  std::vector<const WatchedRule*> rules() const;
  bool any(Verdict verdict) const;  // of the rules that it covers
  bool runs_target() const;
  // Every rule is good and has been for its hold, and no other became bad.
  bool has_helped() const;
  std::string proof() const;  // what that rests on, for people
  // The time is up, and what runs is the target.
  Verified at_the_end() const;

  Duration limit() const;   // how long it may take
  Duration settle() const;  // how long a rung without a switch has to help
  Duration hold_of(const WatchedRule& rule) const;
  void add_deadlines(std::vector<Instant>& out) const;

 private:
  bool is_verified() const;
  std::string rules_good() const;
  bool others_bad() const;
  bool is_good_for_long(const WatchedRule& rule) const;
  bool is_idle_for_long(const WatchedRule& rule) const;
  Duration settle_least() const;

  View view_;
};

}  // namespace rules
