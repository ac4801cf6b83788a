#include <utility>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/outcomes.hpp"
#include "rules/engine/told.hpp"
#include "rules/incidents/story.hpp"

// Did it help? A rung without a switch is given time to settle; then, and after a switch, it is verified
// (SPEC 2.26, 2.27).

namespace rules {

namespace {

// Two looks that saw something else than the target: it is not going to come.
constexpr int looks_elsewhere_max = 2;

}  // namespace

Verification Incident::verification() const {
  return Verification(
      {now(), in_.config, in_.service, record_, plan(), in_.evidence, in_.revisions, in_.trouble.cap(), verify_since_});
}

// What its action did is over: what was seen meanwhile, such as that nothing ran between its stop and its start, counts
// against nobody.
void Incident::measure_anew() {
  const ActionSpec& action = *plan();
  in_.evidence.restart_spans();
  const Instant up_by = now() + in_.service.start_deadline;
  if (action.switches()) {
    in_.evidence.warm_up(up_by);
    in_.evidence.count_from(now(), Cause::warming_up);
  } else if (action.may_restart() || in_.service.health) {
    in_.evidence.warm_up_after(action.may_restart() ? OwnDeed::command : OwnDeed::call, rung_began_, up_by);
  }
  in_.evidence.look_again();
  refired_ = false;
}

void Incident::after_steps() {
  const ActionSpec& action = *plan();
  if (!action.mutates()) return climb("action " + action.name.text + " is done");
  measure_anew();
  if (action.switches()) return begin_verifying();
  record_.settle_extensions = 0;
  enter(IncidentPhase::settling);
  const Duration settle = verification().settle();
  record_.deadline = now() + settle;
  tell(Stage::progress, story::settling, action.name.text + " is done; it has " + told(settle) + " to help");
}

void Incident::check_verify_when() {
  const ActionSpec* action = plan();
  if (action == nullptr || !action->verify.when) return;
  if (in_.evidence.judge(*action->verify.when).verdict != Verdict::bad) return verify_since_.reset();
  if (!verify_since_) verify_since_ = now();
}

bool Incident::drive_settling() {
  if (record_.pending_outcome) return finish_now(), true;
  if (moved_on()) return finish(Outcome::superseded, "another revision runs now"), true;
  if (severer_waits()) return climb("a more severe rule fired"), true;
  check_verify_when();
  const Verification now_so = verification();
  if (now_so.has_helped()) return finish(Outcome::recovered, now_so.proof()), true;
  if (!record_.deadline || now() < *record_.deadline) return false;
  return settle_over();
}

// SPEC 2.27: bad gives way to the next rung; unknown waits once more, then climbs if `up` is 0, else asks.
bool Incident::settle_over() {
  const Verification now_so = verification();
  if (now_so.any(Verdict::bad)) return climb("it did not help"), true;
  if (!now_so.any(Verdict::unknown)) return begin_verifying(), true;
  if (record_.settle_extensions == 0) {
    ++record_.settle_extensions;
    record_.deadline = now() + now_so.settle();
    tell(Stage::progress, story::settling, "whether it helped cannot be told yet; waits once more");
    return true;
  }
  if (in_.evidence.worst_up() == Up::down) return climb("it is down"), true;
  const bool has_next = record_.rung + 1 < record_.ladder.size();
  if (!has_next) return finish(Outcome::unverifiable, "whether it helped cannot be told"), true;
  record_.asked = "whether action " + record_.ladder[record_.rung].text + std::string(helped_is_unknown);
  climb(record_.asked);
  return true;
}

void Incident::begin_verifying() {
  enter(IncidentPhase::verifying);
  verify_since_.reset();
  refired_ = false;
  const Duration limit = verification().limit();
  record_.deadline = now() + limit;
  tell(Stage::progress, story::verifying, "what runs is verified for at most " + told(limit));
}

// A driver may return before the last old instance is gone.
bool Incident::is_wrong_revision() const {
  const Instant patience_ends = record_.phase_since + in_.service.start_deadline;
  const bool comes_late = still_old_ && now() < patience_ends;
  return !verification().runs_target() && looks_elsewhere_ >= looks_elsewhere_max && !comes_late;
}

// An `identify` that does not see what the switch changes is the commonest cause, and looks as if nothing was switched.
std::string Incident::wanted_and_found() const {
  std::string text = "what runs after the switch is not " + record_.to.text + ", which was wanted, but ";
  text += elsewhere_.revision ? elsewhere_.revision->text : "something else";
  if (!elsewhere_.by.empty()) text += ", as found by " + elsewhere_.by;
  if (!still_old_ && elsewhere_.revision)
    return text + "; where somebody deployed that meanwhile and all is well, a rollback would only take it back";
  if (!still_old_) return text;
  return text + "; that ran before, too: nothing was switched, or that does not see what the switch changes";
}

bool Incident::drive_verifying() {
  if (record_.pending_outcome) return finish_now(), true;
  if (moved_on()) return finish(Outcome::superseded, "another revision runs now"), true;
  if (is_wrong_revision()) {
    return finish(Outcome::wrong_revision, wanted_and_found()), true;
  }
  // The action may have gone from the configuration over a restart.
  const ActionSpec* action = plan();
  const bool switchless = action == nullptr ? !record_.switched : !action->switches();
  if (switchless && severer_waits()) return climb("a more severe rule fired"), true;
  if (switchless && std::exchange(refired_, false)) return climb("its rules fired again"), true;
  check_verify_when();
  // Only looking on keeps nobody else from acting; what follows has to get the host's lock anew.
  if (now() >= record_.phase_since + lock_kept_max) lock_.start_over();
  const Verification now_so = verification();
  if (now_so.has_helped()) return finish(Outcome::recovered, now_so.proof()), true;
  if (!record_.deadline || now() < *record_.deadline) return false;
  // The second look says which of the two it is.
  if (in_.revisions.is_unconfirmed() && now() < *record_.deadline + identity_wait_max) return false;
  verify_over();
  return true;
}

// The time is up: what can be said of it.
void Incident::verify_over() {
  if (verification().runs_target()) {
    const Verified end = verification().at_the_end();
    const std::string& stopped = in_.revisions.stopped_at_last_look();
    const bool explains = is_failure(end.outcome) && !stopped.empty();
    return finish(end.outcome, end.why + (explains ? "; " + stopped : ""));
  }
  if (looks_elsewhere_ > 0) {
    return finish(Outcome::wrong_revision, wanted_and_found());
  }
  finish(Outcome::unverifiable, "after the switch " + unread());
}

}  // namespace rules
