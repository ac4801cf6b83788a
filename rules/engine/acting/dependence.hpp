#pragma once

#include <optional>
#include <string>

#include "rules/base/time.hpp"

namespace rules {

// What is wrong with a service, as those that depend on it have to know.
struct Trouble {
  std::string what;        // for people, after its name; empty: nothing
  bool has_limit = false;  // a deployment, a start, an action of ours: it ends by a time limit of its own
  friend bool operator==(const Trouble&, const Trouble&) = default;
};

// How a service is told of that, after the name of what is in trouble.
inline constexpr std::string_view on_which_it_depends = ", on which it depends, ";

// Whether the trouble of what a service depends on, directly or not, explains that its own rules are bad (SPEC 2.19).
// While it does, they wait; what was measured until it was over is no evidence against what runs.
class Dependence {
 public:
  // How things stand with what it depends on, and with its own rules.
  void see(Trouble trouble, bool any_bad, Instant now);

  // Within how long after its own rules went bad that of what it depends on is measured.
  void is_measured_within(Duration lag) { lag_ = lag; }
  Duration lag() const { return lag_; }

  bool explains() const { return !trouble_.what.empty(); }
  const Trouble& trouble() const { return trouble_; }

  // When it was over, as long as what was measured until then may still have to be left out: windows reach back to it,
  // and a poll that began before brings its answer afterwards.
  const std::optional<Instant>& well_since() const { return well_since_; }
  // Nothing of it is left.
  void is_past() { well_since_.reset(); }
  // Whether it is left out: what comes and goes for longer than `most` while its own rules stay bad explains them no
  // more.
  bool may_count_anew(Duration most, Instant now);
  void counted_anew(Instant now);
  // It came and went for too long: what was measured is evidence, but of what nobody can tell.
  bool recurs() const { return recurs_; }

 private:
  Trouble trouble_;
  Duration lag_{};
  std::optional<Instant> well_since_;
  bool recurs_ = false;
  std::optional<Instant> anew_since_;   // the first time, since neither was in trouble for a while
  std::optional<Instant> quiet_since_;  // neither is
};

}  // namespace rules
