#include <algorithm>
#include <utility>

#include "rules/engine/revisions/revisions.hpp"
#include "rules/engine/told.hpp"

// Deployments that are said or seen (SPEC 2.14).

namespace rules {

namespace {

std::string_view event_of(MarkKind kind) {
  switch (kind) {
    case MarkKind::begin:
      return "deploy_begin";
    case MarkKind::end:
      return "deploy_end";
    case MarkKind::mark:
      return "deploy_mark";
  }
  return "";
}

}  // namespace

// Without marks, the time from the old instance's stop to the new one's start; an instance that never comes back is
// down, not being deployed.
void Revisions::tell_deploying() {
  std::optional<Instant> until;
  if (deploying_since_) until = *deploying_since_ + spec_.deploy_timeout;
  if (absent_since_) until = std::max(until.value_or(Instant::min()), *absent_since_ + absence_max());
  doors_.evidence.deploying_until(until);
}

void Revisions::marked(const DeployMark& mark, Says says) {
  doors_.effects.note(std::string(event_of(mark.kind)),
                      {{"service", mark.service.text}, {"revision", mark.revision ? mark.revision->text : ""}});
  const std::optional<Instant> began = deploying_since_;
  count_deployment(mark);
  tell_deploying();
  PendingMark said{mark.at, mark.revision.value_or(Revision()), mark.policy, mark.schema, mark.backup, {}, {}};
  const bool joins = mark.kind == MarkKind::begin && began && mark_ && mark_->began;
  said.began = mark.kind == MarkKind::begin && !joins ? mark.at : began;
  // A deployment that others joined began with the first.
  if (joins || (mark.kind == MarkKind::end && began && mark_ && mark_->began)) said.began = mark_->began;
  if (mark.kind == MarkKind::end && began && !deploying_since_) note_end(said);
  const bool names_running = !said.revision.empty() && said.revision == running_;
  if (mark.kind == MarkKind::begin && !joins) {
    mark_ = std::move(said);
  } else if (joins || (mark.kind == MarkKind::end && deploying_since_)) {
    hold_mark(std::move(said));
  } else if (!spec_.has_identity) {
    const Revision unnamed("deploy-" + std::to_string(mark.at.time_since_epoch().count() / 1'000'000'000));
    hold_mark(std::move(said));
    if (mark_->revision.empty()) mark_->revision = unnamed;
    const Revision name = mark_->revision;
    appeared(name, began.value_or(mark.at));
  } else if (names_running) {
    apply_mark(said, is_afterthought(said) ? Says::what_was_missing : says);
  } else if (mark.kind == MarkKind::mark && note_of_known(said)) {
    // It may be deployed once more. Of what is under way now something else was said.
    said.differs_told = true;
    if (!mark_ && !deploying_since_) hold_mark(std::move(said));
  } else {
    hold_mark(std::move(said));
  }
  doors_.save();
}

// Whoever says of what has run for a while what may be done about it has deployed nothing: its evidence counts on.
bool Revisions::is_afterthought(const PendingMark& said) const {
  const LedgerRecord* running = running_record();
  if (running == nullptr || !spec_.has_identity || said.began || said.revision.empty() || !said.policy) return false;
  return said.at > running->appeared + mark_late_max;
}

// What is said of a revision that was seen before is its own, whatever runs.
bool Revisions::note_of_known(const PendingMark& said) {
  LedgerRecord* known = said.revision.empty() ? nullptr : doors_.ledger.find(spec_.name, said.revision);
  if (known == nullptr) return false;
  note_what_is_said(said, *known);
  save(*known);
  return true;
}

void Revisions::note_what_is_said(const PendingMark& said, LedgerRecord& record) {
  if (said.policy) record.policy = *said.policy;
  if (!said.schema.empty()) {
    if (!record.schema_said && record.schema != said.schema) record.schema_other = record.schema;
    record.schema = said.schema;
    record.schema_said = true;
  }
  if (!said.backup.empty()) record.backup = said.backup;
}

// A script may call another one that deploys: what both have begun is over when both have ended.
void Revisions::count_deployment(const DeployMark& mark) {
  if (mark.kind == MarkKind::begin) {
    deployments_ = deploying_since_ ? deployments_ + 1 : 1;
    deploying_since_ = mark.at;
  } else if (mark.kind == MarkKind::end && --deployments_ <= 0) {
    deployments_ = 0;
    deploying_since_.reset();
  }
}

// What the deployment brought may have been seen since it began: its end is that one's then, however late it comes.
void Revisions::note_end(PendingMark& said) {
  said.ended = said.at;
  LedgerRecord* running = record_of_running();
  if (running == nullptr || running->deploy_began != said.began) return;
  running->deploy_ended = std::exchange(said.ended, std::nullopt);
  said.began.reset();
  save(*running);
}

// It waits for its revision, which only a look that began after it can tell; what it does not say, `deploy begin` has
// said.
void Revisions::hold_mark(PendingMark said) {
  const PendingMark begun = mark_ && !mark_->differs_told ? *mark_ : said;
  if (!said.policy) said.policy = begun.policy;
  if (said.schema.empty()) said.schema = begun.schema;
  if (said.backup.empty()) said.backup = begun.backup;
  if (said.revision.empty()) said.revision = begun.revision;
  if (!said.began && !said.ended) said.began = begun.began;
  mark_ = std::move(said);
}

// The mark may speak of what runs and came shortly before it, but not of what ran already when the deployment began.
bool Revisions::is_of_running(const PendingMark& said) const {
  const LedgerRecord* running = running_record();
  if (running == nullptr || running->adopted || rolled_back_here_) return false;
  return running_since_ + mark_late_max > said.at && said.began.value_or(running_since_) <= running_since_;
}

bool Revisions::awaits_look() const { return mark_ && !deploying_since_ && last_look_ < mark_->at; }

// A look that began after the mark saw that what ran still runs.
void Revisions::settle_mark(Instant look_began) {
  if (!mark_ || deploying_since_ || look_began < mark_->at) return;
  if (is_of_running(*mark_)) return take_mark();
  const bool is_other = !mark_->revision.empty() && mark_->revision != running_;
  const Duration patience = is_other ? spec_.deploy_timeout : spec_.start_deadline;
  if (!mark_->ended || look_began < *mark_->ended + patience) return;
  if (is_other) {
    tell_difference(false);
    mark_.reset();
    return doors_.save();
  }
  // It was deployed once more.
  apply_mark(*mark_.take(), Says::what_was_missing);
  doors_.save();
}

// What was said of a revision does not count for another one that was there before. `counts`: the deployment of which
// it was said brought what runs, under whatever name.
void Revisions::tell_difference(bool counts) {
  if (deploying_since_ || mark_->differs_told) return;
  mark_->differs_told = true;
  doors_.save();
  doors_.effects.note("deploy_differs",
                      {{"service", spec_.name.text}, {"said", mark_->revision.text}, {"runs", running_.text}});
  doors_.effects.tell_fault(spec_.name.text + ": what runs is not what was said to be deployed",
                            "The deployment was said to bring " + mark_->revision.text + ", and " + running_.text +
                                " runs. What was said of it (rollback, schema, backup) " +
                                (counts ? "counts for what this deployment brought." : "does not count for what runs."),
                            spec_.name);
}

// A mark that names another revision waits for it, as long as a deployment may take.
void Revisions::take_mark() {
  if (!mark_) return;
  if (!mark_->revision.empty() && mark_->revision != running_) {
    const bool is_stale = now() > mark_->at + spec_.deploy_timeout;
    const bool counts = mark_->began && !deploying_since_ && is_of_running(*mark_);
    if (!is_stale) tell_difference(counts);
    if (!is_stale && counts) apply_mark(*mark_);
    if (!is_stale && !counts) return;
    mark_.reset();
    return doors_.save();
  }
  apply_mark(*mark_.take());
  doors_.save();
}

// What the mark said of undoing goes to the revision that runs.
void Revisions::apply_mark(const PendingMark& mark, Says says) {
  LedgerRecord* record = record_of_running();
  if (record == nullptr) return;
  note_what_is_said(mark, *record);
  if (mark.began && !record->adopted) {
    record->deploy_began = mark.began;
    record->deploy_ended = mark.ended;
  }
  if (says == Says::deployment && mark.at > record->appeared && !record->adopted) {
    record->appeared = mark.at;
    doors_.evidence.count_from(mark.at);
    doors_.evidence.restart_spans();
  }
  save(*record);
}

void Revisions::end_overdue() {
  if (!deploying_since_ || now() < *deploying_since_ + spec_.deploy_timeout) return;
  deploying_since_.reset();
  deployments_ = 0;
  tell_deploying();
  doors_.save();
  doors_.effects.note("deploy_timed_out", {{"service", spec_.name.text}});
  doors_.effects.tell_fault(spec_.name.text + ": a deployment began and did not end",
                            "deploy begin was said " + told(spec_.deploy_timeout) +
                                " ago and deploy end never came; the service is judged again.",
                            spec_.name);
}

}  // namespace rules
