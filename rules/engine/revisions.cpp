#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"

// What runs: looks at it, and revisions that appear (SPEC 2.13, 2.14, 2.16).

namespace rules {

namespace {

bool is_switch(const StepRecord& step) { return step.kind == "switch"; }

}  // namespace

bool Core::is_preexisting(const WatchedService& service, const RuleName& rule) const {
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr) return false;
  return std::find(running->preexisting.begin(), running->preexisting.end(), rule) != running->preexisting.end();
}

void Core::handle(const RevisionRead& read) {
  WatchedService* service = find_service(read.service);
  if (service == nullptr) return;
  service->last_look = std::max(service->last_look, read.started);
  LiveIncident* incident = open_incident(*service);
  const bool asked_for = incident != nullptr && incident->look_asked && !incident->look;
  if (asked_for && read.started >= *incident->look_asked) incident->look = read;
  if (!read.revision) {
    if (!read.instance_absent) return;
    if (!service->absent_since) service->absent_since = now_;
    return rejudge(nullptr);
  }
  service->absent_since.reset();
  const Revision& revision = *read.revision;
  if (incident != nullptr && incident->record.in_flight && is_switch(incident->step)) return;
  if (incident != nullptr && incident->record.switched && !runs_target(*incident)) {
    see_after_switch(*service, *incident, read);
  } else if (service->record.running.empty()) {
    adopt_first(*service, revision, read.ended);
  } else if (revision == service->record.running) {
    see_running(*service, read);
  } else if (revision == service->record.switching_to) {
    own_switch_seen(*service, revision);
  } else {
    see_other(*service, revision);
  }
  note_schema(read);
  rejudge(nullptr);
}

// A candidate may migrate only after it was first seen. What a good revision was verified with stays its own: while it
// still runs, the next deployment may already have migrated the data.
void Core::note_schema(const RevisionRead& read) {
  LedgerRecord* record = ledger_.find(read.service, *read.revision);
  if (record == nullptr || read.schema.empty() || read.schema == record->schema) return;
  if (record->standing == Standing::good && !record->schema.empty()) return;
  record->schema = read.schema;
  save(*record);
}

void Core::see_running(WatchedService& service, const RevisionRead& read) {
  service.unconfirmed.reset();
  service.last_saw_running = std::max(service.last_saw_running, read.ended);
  LedgerRecord* record = ledger_.find(service.spec.name, service.record.running);
  if (record == nullptr) return;
  record->last_seen = std::max(record->last_seen, read.ended);
  if (service.bake_saved + seen_saved_every > now_) return;
  service.bake_saved = now_;
  save(*record);
}

// Two looks have to agree before it is a deployment.
void Core::see_other(WatchedService& service, const Revision& revision) {
  if (service.unconfirmed != revision) {
    service.unconfirmed = revision;
    return;
  }
  Instant at = service.last_saw_running;
  const std::optional<PendingMark>& mark = service.record.mark;
  if (mark && (mark->revision.empty() || mark->revision == revision)) at = std::max(at, mark->at);
  revision_appeared(service, revision, at);
}

// What the looks after our own switch say: the target, or something that is not the target.
void Core::see_after_switch(WatchedService& service, LiveIncident& incident, const RevisionRead& read) {
  if (*read.revision == incident.record.to) {
    const bool came_late = std::exchange(incident.looks_elsewhere, 0) > 0;
    own_switch_seen(service, *read.revision);
    if (!came_late) return;
    // What was measured until now was of something else.
    service.not_before = std::max(service.not_before, service.last_saw_elsewhere);
    restart_spans(service);
  } else if (read.started >= incident.record.phase_since) {
    ++incident.looks_elsewhere;
    incident.still_old = *read.revision == incident.record.from;
    service.last_saw_elsewhere = read.ended;
  }
}

void Core::own_switch_seen(WatchedService& service, const Revision& revision) {
  ServiceRecord& record = service.record;
  record.previous = record.running;
  record.running = revision;
  record.running_since = now_;
  record.rolled_back_here = true;
  record.switching_to = Revision();
  record.next_rung.clear();
  service.unconfirmed.reset();
  service.last_saw_running = now_;
  service.collector.clear();
  service.not_before = std::max(service.not_before, record.mutation_ended.value_or(Instant::min()));
  save(service);
  LedgerRecord* known = ledger_.find(service.spec.name, revision);
  LedgerRecord fresh;
  if (known == nullptr) {
    fresh.service = service.spec.name;
    fresh.revision = revision;
    fresh.appeared = now_;
  } else {
    fresh = *known;
  }
  fresh.last_seen = now_;
  fresh.preexisting.clear();
  forget_known(service);
  save(fresh);
  ledger_.put(std::move(fresh));
  note("own_switch_seen", {{"service", service.spec.name.text}, {"revision", revision.text}});
}

// The first revision ever seen is taken as good. One that is read when we had lost sight of what runs is judged unless
// it is known to be good.
void Core::adopt_first(WatchedService& service, const Revision& revision, Instant at) {
  if (ledger_.knows(service.spec.name) && ledger_.find(service.spec.name, revision) == nullptr) {
    return revision_appeared(service, revision, std::max(service.last_saw_running, Instant::min()));
  }
  LedgerRecord record;
  if (const LedgerRecord* known = ledger_.find(service.spec.name, revision)) {
    record = *known;
  } else {
    record.service = service.spec.name;
    record.revision = revision;
    record.standing = Standing::good;
    record.adopted = true;
    record.appeared = at;
  }
  record.last_seen = at;
  save(record);
  ledger_.put(record);
  service.record.running = revision;
  // What is seen for the first time while an incident is open ran when it was opened, as far as anybody can tell.
  const LiveIncident* incident = open_incident(service);
  service.record.running_since = incident == nullptr ? at : std::min(at, incident->record.opened);
  service.last_saw_running = at;
  save(service);
  note("revision_adopted", {{"service", service.spec.name.text},
                            {"revision", revision.text},
                            {"standing", std::string(to_string(record.standing))}});
  take_mark(service);
}

void Core::revision_appeared(WatchedService& service, const Revision& revision, Instant at) {
  const LedgerRecord* old = ledger_.find(service.spec.name, service.record.running);
  LedgerRecord record;
  if (const LedgerRecord* known = ledger_.find(service.spec.name, revision)) record = *known;
  record.service = service.spec.name;
  record.revision = revision;
  if (record.standing == Standing::suspect) record.standing = Standing::candidate;
  if (record.standing != Standing::good) record.baked_ns = 0;
  record.appeared = at;
  record.last_seen = now_;
  record.policy = RollbackPolicy::automatic;
  record.baselines = baselines_after(service, old);
  // A mark is often said when the new one already runs: only a look vouches for the old one.
  const bool was_seen = service.last_saw_running != Instant::min();
  record.preexisting = bad_at(service, old, was_seen ? std::min(at, service.last_saw_running) : at);
  forget_known(service);
  if (old != nullptr) save(*old);
  save(record);
  ledger_.put(record);
  ServiceRecord& running = service.record;
  running.previous = std::exchange(running.running, revision);
  running.running_since = at;
  running.rolled_back_here = false;
  running.switching_to = Revision();
  running.acted_without_identity = false;
  running.next_rung.clear();
  service.unconfirmed.reset();
  service.last_saw_running = now_;
  service.collector.clear();
  service.not_before = std::max(service.not_before, at);
  service.not_before_cause = Cause::warming_up;
  save(service);
  note("revision_appeared", {{"service", service.spec.name.text},
                             {"revision", revision.text},
                             {"previous", running.previous.text},
                             {"at", told(at)},
                             {"standing", std::string(to_string(record.standing))},
                             {"preexisting", std::to_string(record.preexisting.size())}});
  restart_spans(service);
  warm_up(service, at + service.spec.start_deadline);
  take_mark(service);
}

// The rules that were bad when the last evidence of the old revision ended (SPEC 2.16).
std::vector<RuleName> Core::bad_at(const WatchedService& service, const LedgerRecord* old, Instant at) const {
  std::vector<RuleName> out;
  for (const WatchedRule* rule : service.rules) {
    const RuleName& name = rule->spec.name;
    const auto later =
        std::find_if(rule->known.rbegin(), rule->known.rend(), [&](const auto& known) { return known.first <= at; });
    const bool was_bad = later != rule->known.rend() && later->second == Verdict::bad;
    const bool never_seen = rule->known.empty() && old != nullptr;
    const bool inherited =
        never_seen && std::find(old->preexisting.begin(), old->preexisting.end(), name) != old->preexisting.end();
    if (was_bad || inherited) out.push_back(name);
  }
  return out;
}

// What was known of one revision says nothing of the next.
void Core::forget_known(const WatchedService& service) {
  for (WatchedRule* rule : service.rules) rule->known.clear();
}

void Core::forget_preexisting(WatchedService& service) {
  LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr || running->preexisting.empty()) return;
  const auto forgotten = std::erase_if(running->preexisting, [&](const RuleName& name) {
    const WatchedRule* rule = watched(name);
    if (rule == nullptr) return true;
    return rule->when.verdict == Verdict::good && rule->tracker.good_for(now_) >= rule->spec.sustain;
  });
  if (forgotten > 0) save(*running);
}

}  // namespace rules
