#include "rules/engine/revisions/revisions.hpp"
#include "rules/engine/told.hpp"

// An identity that asks the application itself fails with it: of a release that does not start nobody could say that it
// runs, and nothing would ever be gone back from. Where a deployment was marked, what it was said to bring counts as
// what runs, if all of this was so:
// - A revision was named, and both ends were said: the deployment is over, and of what is known.
// - A look saw right before that another one runs, and that or one before it is known to be good: there is something
//   to go back to. (What ran and is not verified itself would else be blamed for what followed it.)
// - The health was measured up when the deployment began, down since, and not up again but for the moments between two
//   looks. So it went down with the deployment: not with an outage from before or long after it, nor because somebody
//   stopped it before, and where a deployment failed before it touched anything a look at its end reads what ran.
// - It is measured down now: that nobody can measure it is no evidence.
// - Two looks could not read what runs, and none since the end of the deployment could.
// Without a mark it is only known that what ran is down, which no deployment need have done: that is told.
//
// What is presumed stays open to correction. A look that reads it makes it a revision like others; one that reads
// another has that one judged instead. It is not baked, nobody is kept from it for ever when it was switched away from
// (`suspect`, not `bad`), and when it is up but unread a person is asked. Whether the target runs after a switch is
// read as always.

namespace rules {

bool Revisions::may_presume() const {
  const bool is_named = mark_ && mark_->began && mark_->ended && !mark_->revision.empty();
  if (!is_named || deploying_since_ || mark_->revision == running_ || mark_->differs_told) return false;
  if (unconfirmed_ && *unconfirmed_ != mark_->revision) return false;
  if (is_presumed(running_) || readability_.why_not().empty() || !last_good(mark_->revision)) return false;
  const bool was_seen = last_saw_running_ + identity_wait_max >= *mark_->began && last_saw_running_ < *mark_->ended;
  const bool is_late = now() > *mark_->ended + spec_.deploy_timeout;
  if (!was_seen || is_late) return false;
  const std::optional<Evidence::Outage> outage = doors_.evidence.outage();
  if (!outage || outage->held_until < *mark_->began || outage->since < *mark_->began) return false;
  return outage->last_up <= *mark_->ended + identity_wait_max;
}

void Revisions::presume() {
  if (!may_presume()) return;
  const Revision named = mark_->revision;
  doors_.effects.note("revision_presumed",
                      {{"service", spec_.name.text}, {"revision", named.text}, {"last_seen", running_.text}});
  appeared(named, *mark_->ended, Known::presumed);
}

bool Revisions::is_presumed(const Revision& revision) const {
  const LedgerRecord* record = find(revision);
  return record != nullptr && record->presumed;
}

void Revisions::tell_other_than_presumed(const Revision& seen) {
  if (!is_presumed(running_)) return;
  doors_.effects.tell_fault(spec_.name.text + ": what runs is not what was said to be deployed",
                            "The deployment was said to bring " + running_.text + ", which nobody could read, and " +
                                seen.text + " runs. What was said of it does not count for what runs.",
                            spec_.name);
}

}  // namespace rules
