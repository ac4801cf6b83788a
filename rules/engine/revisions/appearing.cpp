#include <algorithm>
#include <utility>

#include "rules/engine/revisions/revisions.hpp"
#include "rules/engine/told.hpp"

// Another revision runs: the first, a new one, or the target of our own switch (SPEC 2.13, 2.14, 2.16).

namespace rules {

void Revisions::now_runs(const Revision& revision, Instant since) {
  previous_ = std::exchange(running_, revision);
  running_since_ = since;
  starts_in_vain_ = 0;
  first_seen_ = now();
  switching_to_ = Revision();
  unconfirmed_.reset();
  last_saw_running_ = now();
  in_turn_.reset();
  collector_.clear();
}

void Revisions::own_switch_seen(const Revision& revision) {
  now_runs(revision, now());
  rolled_back_here_ = true;
  doors_.limits.rolled_back();
  doors_.evidence.count_from(doors_.limits.last_mutation().value_or(Instant::min()));
  // Also while the plan goes on with what follows its switch, and where what ran before was still warming up.
  doors_.evidence.warm_up(now() + spec_.start_deadline);
  doors_.save();
  LedgerRecord record;
  if (const LedgerRecord* known = find(revision)) {
    record = *known;
  } else {
    record.service = spec_.name;
    record.revision = revision;
    record.appeared = now();
  }
  record.last_seen = now();
  record.presumed = false;
  record.preexisting.clear();
  doors_.evidence.forget_known();
  doors_.evidence.compare_with(record.baselines);
  save(record);
  doors_.ledger.put(std::move(record));
  doors_.effects.note("own_switch_seen", {{"service", spec_.name.text}, {"revision", revision.text}});
}

void Revisions::own_switch_unseen() {
  now_runs(Revision(), now());
  rolled_back_here_ = true;
  doors_.limits.rolled_back();
  doors_.evidence.count_from(doors_.limits.last_mutation().value_or(Instant::min()));
  doors_.evidence.forget_known();
  doors_.save();
}

// The first revision ever seen is taken as good. One that is read when we had lost sight of what runs is judged unless
// it is known to be good.
void Revisions::adopt_first(const Revision& revision, Instant at, std::optional<Instant> incident_opened) {
  const LedgerRecord* known = find(revision);
  if (doors_.ledger.has_seen(spec_.name) && known == nullptr) return appeared(revision, last_saw_running_);
  LedgerRecord record;
  if (known != nullptr) {
    record = *known;
  } else {
    record.service = spec_.name;
    record.revision = revision;
    record.standing = Standing::good;
    record.adopted = true;
    record.appeared = at;
  }
  record.last_seen = at;
  save(record);
  doors_.ledger.put(record);
  doors_.evidence.compare_with(record.baselines);
  running_ = revision;
  // What is seen for the first time while an incident is open ran when it was opened, as far as anybody can tell.
  running_since_ = std::min(at, incident_opened.value_or(at));
  last_saw_running_ = at;
  doors_.save();
  doors_.effects.note("revision_adopted", {{"service", spec_.name.text},
                                           {"revision", revision.text},
                                           {"standing", std::string(to_string(record.standing))}});
  take_mark();
}

LedgerRecord Revisions::fresh_record(const Revision& revision, Instant at, Known known) const {
  const LedgerRecord* old = running_record();
  LedgerRecord record;
  if (const LedgerRecord* before = find(revision)) record = *before;
  record.service = spec_.name;
  record.revision = revision;
  if (record.standing == Standing::suspect) record.standing = Standing::candidate;
  if (record.standing != Standing::good) record.baked_ns = 0;
  record.appeared = at;
  record.presumed = known == Known::presumed;
  if (!record.presumed) record.last_seen = now();
  record.deploy_began.reset();
  record.deploy_ended.reset();
  record.policy = RollbackPolicy::automatic;
  record.baselines = baselines_after(old);
  // A mark is often said when the new one already runs, and we may have been alive when nobody had looked yet: only a
  // look vouches for the old one, where there are looks.
  const Instant vouched = old == nullptr || !spec_.has_identity ? at : std::min(at, old->last_seen);
  const std::vector<RuleName> inherited = old == nullptr ? std::vector<RuleName>() : old->preexisting;
  record.preexisting = doors_.evidence.bad_at(vouched, inherited);
  // What only went bad with one that never proved itself clears nobody: a hotfix that does not help is as bad as that.
  // Without an identity nobody knows that the way back leads past both.
  if (old != nullptr && spec_.has_identity && old->standing != Standing::good) {
    std::erase_if(record.preexisting, [&](const RuleName& rule) {
      return std::find(inherited.begin(), inherited.end(), rule) == inherited.end();
    });
  }
  return record;
}

void Revisions::appeared(const Revision& revision, Instant at, Known known) {
  LedgerRecord record = fresh_record(revision, at, known);
  doors_.evidence.forget_known();
  if (const LedgerRecord* old = running_record()) save(*old);
  save(record);
  const Standing standing = record.standing;
  const std::size_t preexisting = record.preexisting.size();
  doors_.evidence.compare_with(record.baselines);
  doors_.ledger.put(std::move(record));
  now_runs(revision, at);
  rolled_back_here_ = false;
  doors_.limits.revision_appeared();
  doors_.evidence.count_from(at, Cause::warming_up);
  doors_.save();
  doors_.effects.note("revision_appeared", {{"service", spec_.name.text},
                                            {"revision", revision.text},
                                            {"previous", previous_.text},
                                            {"at", told(at)},
                                            {"standing", std::string(to_string(standing))},
                                            {"preexisting", std::to_string(preexisting)}});
  doors_.evidence.restart_spans();
  doors_.evidence.warm_up(at + spec_.start_deadline);
  take_mark();
}

void Revisions::forget_preexisting() {
  LedgerRecord* running = record_of_running();
  if (running == nullptr || running->preexisting.empty()) return;
  const auto forgotten = std::erase_if(running->preexisting, [&](const RuleName& name) {
    const WatchedRule* rule = std::as_const(doors_.evidence).find(name);
    if (rule == nullptr) return true;
    return rule->is(Verdict::good) && rule->good_for(now()) >= rule->spec().sustain;
  });
  if (forgotten > 0) save(*running);
}

}  // namespace rules
