#include <utility>

#include "rules/engine/revisions/revisions.hpp"
#include "rules/engine/told.hpp"

// Who deploys may stop what runs for longer than `down` waits, and say nothing of it (SPEC 2.14). Where the driver saw
// that somebody stopped it, that is no evidence against what ran, as long as a deployment may take; afterwards it is
// judged again, and people are asked instead of anything being done under somebody's hands. What ended by itself is not
// stopped: there the driver says nothing of the kind.

namespace rules {

void Revisions::restore_stop(const ServiceRecord& record) {
  absent_since_ = record.stopped_since;
  stop_told_ = record.stop_told;
  if (absent_since_) stopped_ = "it was stopped already before rollbackd was started";
}

Duration Revisions::absence_max() const { return stopped_.empty() ? spec_.start_deadline : spec_.deploy_timeout; }

std::optional<Instant> Revisions::absent_until() const {
  if (!absent_since_ || now() >= *absent_since_ + absence_max()) return std::nullopt;
  return *absent_since_ + absence_max();
}

// No look saw anything run since a step of ours ended.
bool Revisions::may_be_stopped_by_us() const {
  const std::optional<Instant> mutation = doors_.limits.last_mutation();
  return mutation && last_sight_ <= *mutation;
}

bool Revisions::looked(const RevisionRead& read, bool is_ours) {
  last_look_ = std::max(last_look_, read.started);
  const bool was_stopped = !stopped_.empty();
  const bool sees = read.revision || read.instance_absent;
  // Who stops and starts again and again what never came up, as a watchdog does, makes it no better by that.
  constexpr int starts_max = 2;
  const bool fails_on = starts_in_vain_ >= starts_max && never_came_up();
  const std::string by = is_ours || fails_on ? std::string() : read.stopped;
  if (sees) {
    stopped_ = by;
    stopped_at_last_look_ = read.stopped;
  }
  if (read.revision && read.stopped.empty()) last_sight_ = read.ended;
  if (fails_on || (read.revision && by.empty())) {
    absent_since_.reset();
  } else if (sees && !absent_since_) {
    absent_since_ = now();
  }
  if (!was_stopped && !stopped_.empty()) doors_.evidence.stopped_by_hand(now());
  if (was_stopped == stopped_.empty()) doors_.save();
  const bool is_started = was_stopped && stopped_.empty();
  if (is_started) started_again();
  tell_deploying();
  return is_started;
}

// By the probe that says of the whole service whether it is up.
bool Revisions::never_came_up() const {
  const std::optional<Evidence::Outage> outage = doors_.evidence.outage();
  // Until it was seen the one before it may have been up.
  return outage && outage->last_up <= first_seen_;
}

// It is another instance: what was measured of the last one, and of nothing, does not count for it. What never came up
// gets more time for that once.
void Revisions::started_again() {
  starts_in_vain_ = never_came_up() ? starts_in_vain_ + 1 : 0;
  if (starts_in_vain_ <= 1) {
    doors_.evidence.count_from(now(), Cause::warming_up);
    if (doors_.evidence.firing().empty()) doors_.evidence.restart_spans(Leaves::good_run);
    doors_.evidence.warm_up(now() + spec_.start_deadline);
  }
  doors_.effects.note("started_again", {{"service", spec_.name.text}});
  if (!std::exchange(stop_told_, false)) return;
  doors_.save();
  doors_.effects.tell_fault(spec_.name.text + ": it is not stopped any more", "It is judged again.", spec_.name);
}

std::string Revisions::stopped() const {
  if (stopped_.empty() || !absent_since_) return "";
  return stopped_ + " (seen at " + told(*absent_since_) + ")";
}

void Revisions::tell_of_stop(bool is_known) {
  if (stopped_.empty() || !absent_since_ || stop_told_ || is_known || deploying_since_) return;
  if (now() < *absent_since_ + stop_told_after || now() >= *absent_since_ + absence_max()) return;
  stop_told_ = true;
  doors_.save();
  doors_.effects.note("stopped", {{"service", spec_.name.text}, {"what", stopped_}});
  const std::string until = ". Nothing is judged until it runs again, or until " +
                            told(*absent_since_ + spec_.deploy_timeout) +
                            "; from then on people are asked before anything is done. ";
  if (may_be_stopped_by_us()) {
    // Who is told to start it must not start what was to be left.
    const std::string in_place = running_.empty() ? "" : ", once you know that " + running_.text + " is to run";
    doors_.effects.tell_fault(spec_.name.text + " is stopped since rollbackd changed it",
                              "By a step of its plan, or by somebody meanwhile: " + stopped() + until +
                                  "See its last incident; start it" + in_place + ".",
                              spec_.name);
    return;
  }
  doors_.effects.tell_fault(spec_.name.text + " is stopped, and did not fail",
                            stopped() + until + "If nobody meant that, start it.", spec_.name);
}

}  // namespace rules
