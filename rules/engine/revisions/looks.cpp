#include <algorithm>
#include <utility>

#include "rules/engine/revisions/revisions.hpp"
#include "rules/engine/told.hpp"

// Looks at what runs, and what is said of them (SPEC 2.14).

namespace rules {

namespace {

// A ledger's record is written for its times alone at most this often: a commit a minute, not one a look.
constexpr Duration seen_saved_every = std::chrono::minutes(1);

}  // namespace

void Revisions::restore(const ServiceRecord& record, std::optional<Instant> last_alive) {
  running_ = record.running;
  previous_ = record.previous;
  running_since_ = record.running_since;
  deploying_since_ = record.deploying_since;
  deployments_ = std::max<std::int64_t>(record.deployments, deploying_since_ ? 1 : 0);
  rolled_back_here_ = record.rolled_back_here;
  mark_ = record.mark;
  switching_to_ = record.switching_to;
  readability_.restore(record.unreadable_told);
  restore_stop(record);
  tell_deploying();
  const LedgerRecord* running = running_record();
  if (running == nullptr) return;
  doors_.evidence.compare_with(running->baselines);
  // Evidence from between our last look and our end may be of either revision: it counts for neither.
  last_saw_running_ = std::max(running->last_seen, last_alive.value_or(Instant::min()));
  last_sight_ = running->last_seen;
  // After a rollback the windows would else reach back into what was left.
  doors_.evidence.count_from(std::max(running->appeared, running_since_));
  if (rolled_back_here_) doors_.evidence.count_from(doors_.limits.last_mutation().value_or(Instant::min()));
}

void Revisions::put_into(ServiceRecord& record) const {
  record.running = running_;
  record.previous = previous_;
  record.running_since = running_since_;
  record.deploying_since = deploying_since_;
  record.deployments = deployments_;
  record.rolled_back_here = rolled_back_here_;
  record.mark = mark_;
  record.switching_to = switching_to_;
  record.unreadable_told = readability_.is_told();
  if (!stopped_.empty()) record.stopped_since = absent_since_;
  record.stop_told = stop_told_;
}

void Revisions::judge_sight(const RevisionRead& read) {
  const bool was_told = readability_.is_told();
  differ_ = read.instances_differ;
  if (const std::string both = says_in_turn(); read.revision && !both.empty()) {
    readability_.could_not_read(both);
  } else if (read.revision) {
    readability_.could_read(*read.revision);
  } else if (!read.instance_absent && !doors_.evidence.is_deploying()) {
    // Between stop and start there is nothing to be read.
    readability_.could_not_read(read.error);
  }
  if (readability_.is_told() != was_told) doors_.save();
}

// One of several instances at a time may be asked, or a deployment stands still half way: neither is what runs.
std::string Revisions::says_in_turn() const {
  if (!in_turn_ || now() < in_turn_->since + spec_.start_deadline) return "";
  return "looks see " + running_.text + " and " + in_turn_->other.text +
         " in turn; do let `identify` ask all instances, or one " + "and always the same";
}

// Looks agree for good only when a few do.
void Revisions::note_agreement() {
  constexpr int looks_that_agree = 4;
  if (unconfirmed_) {
    in_turn_ = InTurn{in_turn_ ? in_turn_->since : now(), *unconfirmed_, 0};
  } else if (in_turn_ && ++in_turn_->agreed >= looks_that_agree) {
    in_turn_.reset();
  }
}

void Revisions::see(const RevisionRead& read, std::optional<Instant> incident_opened) {
  const Revision& revision = *read.revision;
  if (running_.empty()) {
    adopt_first(revision, read.ended, incident_opened);
  } else if (revision == running_) {
    see_running(read);
  } else if (revision == switching_to_) {
    own_switch_seen(revision);
  } else {
    see_other(revision);
  }
}

// What is seen then may be anything, but that what ran still runs: what somebody else deploys meanwhile came later.
// Nothing is saved for it: what a switch waits for must not stand behind it.
void Revisions::see_while_switching(const RevisionRead& read) {
  if (*read.revision != running_) return;
  unconfirmed_.reset();
  last_saw_running_ = std::max(last_saw_running_, read.ended);
}

// A candidate may migrate only after it was first seen. What a good revision was verified with stays its own: while it
// still runs, the next deployment may already have migrated the data. What was said holds, and what was read before is
// remembered: whose the change is cannot be known, so people are asked.
void Revisions::note_schema(const RevisionRead& read) {
  LedgerRecord* record = doors_.ledger.find(spec_.name, *read.revision);
  if (record == nullptr || read.schema.empty() || is_schema_settled(*read.revision)) return;
  const LedgerRecord before = *record;
  if (record->schema_said) {
    record->schema_other = read.schema == record->schema ? "" : read.schema;
  } else if (read.schema != record->schema) {
    record->schema_other = record->schema;
    record->schema = read.schema;
  }
  if (record->schema != before.schema || record->schema_other != before.schema_other) save(*record);
}

// A tag that is moved is another's label then: what it was called when it was seen last stays with it.
void Revisions::note_label(const RevisionRead& read) {
  constexpr std::size_t label_max = 100;  // bytes; an image's reference, for a title
  LedgerRecord* record = doors_.ledger.find(spec_.name, *read.revision);
  if (record == nullptr || read.label.empty() || read.label.size() > label_max || read.label == record->label) return;
  record->label = read.label;
  save(*record);
}

std::string Revisions::label_of(const Revision& revision) const {
  const LedgerRecord* record = find(revision);
  return record == nullptr ? std::string() : record->label;
}

bool Revisions::is_schema_settled(const Revision& revision) const {
  const LedgerRecord* record = doors_.ledger.find(spec_.name, revision);
  return record != nullptr && record->standing == Standing::good && !record->schema.empty();
}

void Revisions::note_unfinished(const RevisionRead& read, bool is_changing) {
  if (!read.revision) return;
  unfinished_ = read.unfinished;
  if (is_changing || unfinished_.empty() != unfinished_told_) return;
  unfinished_told_ = !unfinished_.empty();
  doors_.effects.note(unfinished_told_ ? "unfinished" : "finished",
                      {{"service", spec_.name.text}, {"what", unfinished_}});
  if (unfinished_told_) {
    doors_.effects.tell_fault(spec_.name.text + ": what is in place is not what runs", unfinished_, spec_.name,
                              Severity::p1, {spec_.name.text + " unfinished"});
  } else {
    doors_.effects.tell_fault(spec_.name.text + ": what is in place is what runs", read.revision->text + " runs.",
                              spec_.name, Severity::p1, {spec_.name.text + " unfinished", true});
  }
}

const std::string& Revisions::tell_unfinished() {
  unfinished_told_ = !unfinished_.empty();
  return unfinished_;
}

void Revisions::see_running(const RevisionRead& read) {
  note_agreement();
  unconfirmed_.reset();
  last_saw_running_ = std::max(last_saw_running_, read.ended);
  settle_mark(read.started);
  LedgerRecord* record = record_of_running();
  if (record == nullptr) return;
  record->last_seen = std::max(record->last_seen, read.ended);
  const bool was_presumed = std::exchange(record->presumed, false);
  // While something is bad it is decisive of which revision it was (SPEC 2.16), also after a restart.
  if (bake_saved_ + seen_saved_every > now() && !doors_.evidence.is_any_bad() && !was_presumed) return;
  bake_saved_ = now();
  save(*record);
}

// Two looks have to agree before it is a deployment.
void Revisions::see_other(const Revision& revision) {
  if (unconfirmed_ != revision) {
    unconfirmed_ = revision;
    return;
  }
  Instant at = last_saw_running_;
  if (mark_ && (mark_->revision.empty() || mark_->revision == revision)) at = std::max(at, mark_->at);
  // Whatever came instead: it came with the deployment that began meanwhile.
  if (mark_ && mark_->began) at = std::max(at, *mark_->began);
  tell_other_than_presumed(revision);
  appeared(revision, at);
}

void Revisions::switch_begins(const Revision& to, const Revision& from, bool again) {
  switching_to_ = to;
  doors_.save();
  if (again) return;
  if (LedgerRecord* left = doors_.ledger.find(spec_.name, from)) {
    ++left->switches_away;
    save(*left);
  }
}

void Revisions::switch_changed_nothing(const Revision& from) {
  switching_to_ = Revision();
  doors_.save();
  LedgerRecord* left = doors_.ledger.find(spec_.name, from);
  if (left == nullptr || left->switches_away == 0) return;
  --left->switches_away;
  save(*left);
}

void Revisions::judge_left(const Revision& left, Standing standing) {
  LedgerRecord* record = doors_.ledger.find(spec_.name, left);
  if (record == nullptr) return;
  // What nobody saw run may never have been there: that is no reason to keep people from it for ever.
  const bool is_proved = standing != Standing::bad || !record->presumed;
  if (record->standing != Standing::bad) record->standing = is_proved ? standing : Standing::suspect;
  save(*record);
}

bool Revisions::is_first_with_schema(const Revision& revision) const {
  const std::vector<LedgerRecord*> all = doors_.ledger.of(spec_.name);
  return std::all_of(all.begin(), all.end(),
                     [&](const LedgerRecord* one) { return one->revision == revision || one->schema.empty(); });
}

const NamedRevision* Revisions::named(const std::string& name) const {
  const auto found =
      std::find_if(names_.begin(), names_.end(), [&](const NamedRevision& one) { return one.name == name; });
  return found == names_.end() ? nullptr : &*found;
}

bool Revisions::declare(const Revision& revision, Standing standing, bool exists, const std::vector<Revision>& same) {
  LedgerRecord* record = doors_.ledger.find(spec_.name, revision);
  if (record == nullptr && exists) {
    LedgerRecord never_ran;
    never_ran.service = spec_.name;
    never_ran.revision = revision;
    never_ran.appeared = now();
    doors_.ledger.put(std::move(never_ran));
    record = doors_.ledger.find(spec_.name, revision);
  }
  if (record == nullptr) return false;
  std::vector<Revision> meant = alike(revision);
  meant.push_back(revision);
  meant.insert(meant.end(), same.begin(), same.end());
  for (const Revision& one : meant) {
    record = doors_.ledger.find(spec_.name, one);
    if (record == nullptr || record->standing == standing) continue;
    record->standing = standing;
    // Said to be bad it bakes no more, however well it looks: only deployed anew it may prove itself.
    record->baked_ns = spec_.bake.count();
    save(*record);
  }
  return true;
}

void Revisions::forget_switches() {
  for (LedgerRecord* record : doors_.ledger.of(spec_.name)) {
    if (record->switches_away == 0) continue;
    record->switches_away = 0;
    save(*record);
  }
}

bool Revisions::is_preexisting(const RuleName& rule) const {
  const LedgerRecord* record = running_record();
  if (record == nullptr) return false;
  return std::find(record->preexisting.begin(), record->preexisting.end(), rule) != record->preexisting.end();
}

}  // namespace rules
