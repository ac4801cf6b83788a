#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"

// What runs: revisions that appear, deployments, warm-up, arming and baking (SPEC 2.13 to 2.18).

namespace rules {

namespace {

// A ledger's last_seen is written at most this often: a commit a minute, not one a look.
constexpr Duration seen_saved_every = std::chrono::minutes(1);
// A deploy mark that comes this soon after a revision was noticed speaks of that revision.
constexpr Duration mark_late_max = std::chrono::minutes(2);

bool is_switch(const StepRecord& step) { return step.kind == "switch"; }

}  // namespace

bool Core::is_deploying(const WatchedService& service) const {
  const ServiceSpec& spec = service.spec;
  const std::optional<Instant>& since = service.record.deploying_since;
  if (since && now_ < *since + spec.deploy_timeout) return true;
  // Without marks, the time from the old instance's stop to the new one's start; an instance that never comes back
  // is down, not being deployed.
  return service.absent_since && now_ < *service.absent_since + spec.start_deadline;
}

bool Core::is_armed(const WatchedService& service) const {
  if (service.spec.arm == Arm::always) return true;
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  return running != nullptr && running->standing != Standing::good;
}

bool Core::is_paused(const WatchedService& service) const {
  return service.record.paused_until && now_ < *service.record.paused_until;
}

bool Core::is_preexisting(const WatchedService& service, const RuleName& rule) const {
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr) return false;
  return std::find(running->preexisting.begin(), running->preexisting.end(), rule) != running->preexisting.end();
}

void Core::handle(const RevisionRead& read) {
  WatchedService* service = find_service(read.service);
  if (service == nullptr) return;
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
  service.record.running_since = at;
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

// Rules are unknown(warming_up) until their probes are up again, for at most start_deadline (SPEC 2.15).
void Core::warm_up(WatchedService& service, Instant until) {
  for (const ProbeName& probe : service.probes) service.warming[probe] = {now_, until};
}

// An answer to what was asked before may be the old instance's.
void Core::note_up(WatchedService& service, const Poll& poll) {
  const auto warming = service.warming.find(poll.probe);
  if (warming == service.warming.end() || poll.up != Up::up || poll.started < warming->second.since) return;
  service.warming.erase(warming);
}

// What was not up when it restarted gets no further time: one that crashes again and again is down.
void Core::instance_restarted(WatchedService& service, const Poll& poll) {
  const Warming warming{poll.started, now_ + service.spec.start_deadline};
  for (const ProbeName& probe : service.probes) service.warming.try_emplace(probe, warming);
  note_up(service, poll);
}

std::map<std::string, double> Core::baselines_after(WatchedService& service, const LedgerRecord* old) const {
  if (old == nullptr) return {};
  std::map<std::string, double> out = old->baselines;
  if (old->standing != Standing::good) return out;
  for (const auto& [key, value] : old->collected) out[key] = value;
  for (const auto& [key, value] : service.collector.freeze()) out[key] = value;
  return out;
}

// The rules that were bad when the last evidence of the old revision ended (SPEC 2.16).
std::vector<RuleName> Core::bad_at(const WatchedService& service, const LedgerRecord* old, Instant at) const {
  std::vector<RuleName> out;
  for (const auto& [name, rule] : rules_) {
    if (rule.spec.service != service.spec.name) continue;
    const auto later =
        std::find_if(rule.known.rbegin(), rule.known.rend(), [&](const auto& known) { return known.first <= at; });
    const bool was_bad = later != rule.known.rend() && later->second == Verdict::bad;
    const bool never_seen = rule.known.empty() && old != nullptr;
    const bool inherited =
        never_seen && std::find(old->preexisting.begin(), old->preexisting.end(), name) != old->preexisting.end();
    if (was_bad || inherited) out.push_back(name);
  }
  return out;
}

// What was known of one revision says nothing of the next.
void Core::forget_known(const WatchedService& service) {
  for (auto& [name, rule] : rules_) {
    if (rule.spec.service == service.spec.name) rule.known.clear();
  }
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

void Core::handle(const DeployMark& mark) {
  WatchedService* service = find_service(mark.service);
  if (service == nullptr) return;
  note("deploy_" + std::string(mark.kind == MarkKind::begin ? "begin"
                               : mark.kind == MarkKind::end ? "end"
                                                            : "mark"),
       {{"service", mark.service.text}, {"revision", mark.revision ? mark.revision->text : ""}});
  ServiceRecord& record = service->record;
  if (mark.kind == MarkKind::begin) record.deploying_since = mark.at;
  if (mark.kind == MarkKind::end) record.deploying_since.reset();
  PendingMark said{mark.at, mark.revision.value_or(Revision()), mark.policy, mark.schema, mark.backup};
  const LedgerRecord* running = ledger_.find(record.service, record.running);
  const bool names_running = !said.revision.empty() && said.revision == record.running;
  const bool just_appeared = said.revision.empty() && running != nullptr && !running->adopted &&
                             !record.rolled_back_here && record.running_since + mark_late_max > mark.at;
  if (mark.kind == MarkKind::begin) {
    record.mark = std::move(said);
  } else if (!service->spec.has_identity) {
    const Revision unnamed("deploy-" + std::to_string(mark.at.time_since_epoch().count() / 1'000'000'000));
    const Revision name = said.revision.empty() ? unnamed : said.revision;
    record.mark = std::move(said);
    revision_appeared(*service, name, mark.at);
  } else if (names_running || just_appeared) {
    apply_mark(*service, said);
  } else {
    const PendingMark begun = record.mark.value_or(said);
    if (!said.policy) said.policy = begun.policy;
    if (said.schema.empty()) said.schema = begun.schema;
    if (said.backup.empty()) said.backup = begun.backup;
    if (said.revision.empty()) said.revision = begun.revision;
    record.mark = std::move(said);
  }
  save(*service);
  rejudge(nullptr);
}

// A mark that names another revision waits for it.
void Core::take_mark(WatchedService& service) {
  std::optional<PendingMark>& mark = service.record.mark;
  if (!mark || (!mark->revision.empty() && mark->revision != service.record.running)) return;
  apply_mark(service, *std::exchange(mark, std::nullopt));
  save(service);
}

// What the mark said of undoing goes to the revision that runs.
void Core::apply_mark(WatchedService& service, const PendingMark& mark) {
  LedgerRecord* record = ledger_.find(service.spec.name, service.record.running);
  if (record == nullptr) return;
  if (mark.policy) record->policy = *mark.policy;
  if (!mark.schema.empty()) record->schema = mark.schema;
  if (!mark.backup.empty()) record->backup = mark.backup;
  if (mark.at > record->appeared && !record->adopted) {
    record->appeared = mark.at;
    service.not_before = std::max(service.not_before, mark.at);
    restart_spans(service);
  }
  save(*record);
}

void Core::end_overdue(WatchedService& service) {
  ServiceRecord& record = service.record;
  if (record.paused_until && *record.paused_until <= now_) end_pause(service);
  if (record.deploying_since && *record.deploying_since + service.spec.deploy_timeout <= now_) {
    record.deploying_since.reset();
    save(service);
    Tell tell;
    tell.stage = Stage::fault;
    tell.context.service = service.spec.name;
    tell.title = service.spec.name.text + ": a deployment began and did not end";
    tell.text = "deploy begin was said " + told(service.spec.deploy_timeout) +
                " ago and deploy end never came; the service is judged again.";
    tell.at = now_;
    note("deploy_timed_out", {{"service", service.spec.name.text}});
    emit(std::move(tell));
  }
}

bool Core::is_baking(const WatchedService& service) const {
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr || running->baked_ns >= service.spec.bake.count()) return false;
  if (is_deploying(service) || service.unconfirmed || service.incident) return false;
  if (!service.probes.empty() && worst_up(service) != Up::up) return false;
  return std::none_of(rules_.begin(), rules_.end(), [&](const auto& entry) {
    const WatchedRule& rule = entry.second;
    return rule.spec.service == service.spec.name && rule.spec.severity != Severity::p3 &&
           rule.when.verdict == Verdict::bad;
  });
}

// Adds the time since the last look at it, during which what held then held on.
void Core::bake(WatchedService& service) {
  if (service.bake_from == Instant::max()) return;
  LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr) return;
  running->baked_ns += (now_ - service.bake_from).count();
  service.bake_from = now_;
  const bool done = running->baked_ns >= service.spec.bake.count();
  if (!done && service.bake_saved + seen_saved_every > now_) return;
  service.bake_saved = now_;
  for (const auto& [key, value] : service.collector.freeze()) running->collected[key] = value;
  if (done) {
    service.bake_from = Instant::max();
    running->standing = Standing::good;
    note("baked", {{"service", service.spec.name.text}, {"revision", running->revision.text}});
  }
  save(*running);
}

void Core::collect_baselines(WatchedService& service, const ProbeName& probe) {
  if (service.baseline_of.empty() || !service.probes.contains(probe)) return;
  const bool counts = is_baking(service);
  const Scope in = scope(service, std::nullopt);
  for (const auto& [key, expression] : service.baseline_of) {
    Measured measured;
    if (const auto* signal = std::get_if<SignalRef>(&expression.node)) {
      measured = measurements_.signal(signal->signal, in, now_);
    } else if (const auto* field = std::get_if<FieldRef>(&expression.node)) {
      measured = measurements_.field(*field, in, now_);
    }
    Duration gap{};
    for (const ProbeShape& shape : config_.probes) {
      if (service.probes.contains(shape.name)) gap = std::max(gap, shape.max_gap);
    }
    if (counts && measured.value) {
      service.collector.observe(key, now_, *measured.value, gap);
    } else {
      service.collector.interrupt(key);
    }
  }
}

void Core::add_service_deadlines(const WatchedService& service, std::vector<Instant>& out) const {
  for (const auto& [probe, warming] : service.warming) out.push_back(warming.until);
  if (service.record.deploying_since) out.push_back(*service.record.deploying_since + service.spec.deploy_timeout);
  if (service.absent_since) out.push_back(*service.absent_since + service.spec.start_deadline);
  if (service.record.paused_until) out.push_back(*service.record.paused_until);
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr) return;
  if (service.bake_from != Instant::max()) {
    out.push_back(service.bake_from + (service.spec.bake - Duration(running->baked_ns)));
  }
  for (const RuleName& name : running->preexisting) {
    const WatchedRule* rule = watched(name);
    if (rule == nullptr || rule->when.verdict != Verdict::good) continue;
    out.push_back(now_ + (rule->spec.sustain - rule->tracker.good_for(now_)));
  }
}

}  // namespace rules
