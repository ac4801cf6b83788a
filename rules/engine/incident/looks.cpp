#include <algorithm>
#include <utility>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/outcomes.hpp"

// Looks at what runs: before a switch, after it, and after a crash that left one in flight (SPEC 2.23, section 6).

namespace rules {

namespace {

// After nothing is given time to start any more: what was broken off does not wait for ever for its rules.
constexpr Duration judged_within = std::chrono::minutes(5);

}  // namespace

void Incident::ask_look() { look_.ask(record_.service, in_.effects); }

void Incident::saw(const RevisionRead& read) { look_.saw(read); }

bool Incident::is_switching() const { return record_.in_flight && step_.kind == "switch"; }

bool Incident::is_switching_by_us() const { return is_switching() && !look_settles_switch_; }

std::optional<Instant> Incident::switching_until() const {
  if (!is_switching_by_us()) return std::nullopt;
  return step_.started + in_.service.deploy_timeout;
}

bool Incident::awaits_target() const { return record_.switched && !verification().runs_target(); }

Incident::Look Incident::look_before_switch() {
  if (!in_.service.has_identity) return Look::go;
  if (!look_.is_asked()) {
    ask_look();
    return Look::pending;
  }
  if (!look_.is_over(now())) return Look::pending;
  if (const std::optional<Revision> running = look_.running()) {
    if (record_.from.empty()) record_.from = *running;
    if (*running == record_.from) return Look::go;
    // One look may be mistaken: ended for it, what fires on would have no answer (SPEC 2.14).
    if (!in_.revisions.is_unconfirmed() || !look_.take_second_opinion()) return Look::superseded;
    ask_look();
    return Look::pending;
  }
  if (look_.count_failure()) {
    if (in_.revisions.is_unconfirmed()) return Look::superseded;
    const bool nobody_knows = record_.from.empty() && !record_.by_hand;
    if (nobody_knows || (is_unattributed() && !is_approved_by_person(record_))) return Look::unread;
    story("revision_unread", unread() + "; last seen " + record_.from.text);
    return Look::go;
  }
  ask_look();
  return Look::pending;
}

std::string Incident::unread() const {
  const std::string& why = in_.revisions.readability().why_not();
  return why.empty() ? "what runs could not be read" : why;
}

// What the looks after our own switch say: the target, or something that is not the target.
void Incident::saw_after_switch(const RevisionRead& read) {
  const Revision& running = *read.revision;
  if (running == record_.to) {
    const bool came_late = std::exchange(looks_elsewhere_, 0) > 0;
    in_.revisions.own_switch_seen(running);
    if (!came_late) return;
    // What was measured until now was of something else.
    in_.evidence.count_from(elsewhere_.ended);
    in_.evidence.restart_spans();
  } else if (read.started >= record_.phase_since) {
    ++looks_elsewhere_;
    still_old_ = running == record_.from;
    elsewhere_ = read;
  }
}

void Incident::switched() {
  const bool is_read = in_.service.has_identity;
  tell(Stage::progress, "switched", is_read ? record_.from.text + " → " + record_.to.text : step_.text + ": done");
  looks_elsewhere_ = 0;
  still_old_ = false;
  look_.forget();
  if (is_read) {
    in_.effects.emit(ReadRevision{record_.service});
  } else {
    in_.revisions.own_switch_unseen();
  }
}

// SPEC 2.25: a switch by hand is counted unless it changed nothing. True: that is still to be seen.
bool Incident::look_back() {
  const bool may_have_changed_nothing = record_.by_hand && record_.switched && in_.service.has_identity &&
                                        is_failure(*record_.pending_outcome) && !verification().runs_target();
  if (!may_have_changed_nothing || plan() == nullptr) {
    // What the look has seen may be the target.
    looks_back_ = false;
    return false;
  }
  if (looks_back_ && !look_.is_over(now())) return true;
  if (!looks_back_) {
    looks_back_ = true;
    ask_look();
    return true;
  }
  looks_back_ = false;
  if (look_.running() != record_.from) return false;
  record_.switched = false;
  // Its action counts on where it changed something before.
  bool action_too = true;
  for (const StepSpec& step : plan()->steps) {
    if (std::holds_alternative<SwitchStep>(step.what)) break;
    action_too = action_too && !is_mutating(step);
  }
  in_.limits.take_back(record_.id, true, action_too);
  in_.revisions.switch_changed_nothing(record_.from);
  story("changed_nothing", record_.from.text + " runs as before: the switch changed nothing and is not counted");
  return false;
}

bool Incident::drive_looking_back() {
  if (!look_.is_over(now())) return false;
  finish_now();
  return true;
}

// A crash left the switch in flight: what runs says whether it happened; it is not done again unless it bears that.
bool Incident::settle_interrupted_switch() {
  if (!look_.is_over(now())) return false;
  const std::optional<Revision> running = look_.running();
  // In the middle of putting it into effect: what runs would be known only when that is done again.
  const bool is_between = !running && in_.service.resumes_switch && look_.broken_off() == record_.to &&
                          !record_.pending_outcome && !record_.aborted;
  if (!running && !is_between && !look_.count_failure()) {
    ask_look();
    return true;
  }
  const bool is_as_before = running && *running == record_.from;
  if (is_as_before && waits_to_resume()) return false;
  look_settles_switch_ = false;
  const auto interrupted = [this](std::string why) {
    const std::string& unfinished = in_.revisions.tell_unfinished();
    if (!unfinished.empty()) why += "; " + unfinished;
    return StepResult{StepStatus::interrupted, std::nullopt, std::move(why), "", 0};
  };
  const bool resumes = in_.service.resumes_switch && !all_cleared();
  const bool is_done_again = is_between || (is_as_before && (step_at_cursor().idempotent || resumes));
  if (is_done_again) {
    // Begun anew rather than commanded at once: the host's lock has to be had again first.
    look_.forget();
    record_.in_flight = false;
    story("switch_resumed", step_.text + ": broken off by our end, and done again");
  } else if (!running) {
    end_step(interrupted("after a restart " + unread()));
  } else if (*running == record_.to) {
    in_.revisions.own_switch_seen(*running);
    end_step({StepStatus::succeeded, std::nullopt, "found done after a restart", "", 0});
  } else {
    end_step(interrupted("revision " + running->text + " was found running"));
  }
  return true;
}

// What is begun is finished where its driver can, but not for rules that became good while nobody watched: it is waited
// until one is seen bad or all are good again, as long as that may take.
bool Incident::waits_to_resume() {
  const bool may_resume = in_.service.resumes_switch && !step_at_cursor().idempotent && !record_.by_hand;
  if (!may_resume || record_.pending_outcome || all_cleared()) return false;
  const std::vector<const WatchedRule*> rules = uncleared();
  // Windows that reach back to before our start say nothing of now.
  const bool is_bad = std::any_of(rules.begin(), rules.end(), [&](const WatchedRule* rule) {
    return in_.evidence.judge(rule->spec().when, resumed_at_).verdict == Verdict::bad;
  });
  const Instant at_the_latest = resumed_at_ + in_.service.start_deadline + judged_within;
  if (is_bad || in_.evidence.worst_up() == Up::down || now() >= at_the_latest) return false;
  hold_until_ = at_the_latest;
  const std::string_view why = "until its rules are judged again after a restart of rollbackd";
  if (record_.waiting_for == why) return true;
  record_.waiting_for = why;
  save();
  return true;
}

}  // namespace rules
