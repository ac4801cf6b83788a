#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"

// Deployments that are said or seen, and the time until what was deployed is up (SPEC 2.14, 2.15).

namespace rules {

namespace {

// A deploy mark that comes this soon after a revision was noticed speaks of that revision.
constexpr Duration mark_late_max = std::chrono::minutes(2);

}  // namespace

bool Core::is_deploying(const WatchedService& service) const {
  const ServiceSpec& spec = service.spec;
  const std::optional<Instant>& since = service.record.deploying_since;
  if (since && now_ < *since + spec.deploy_timeout) return true;
  // Without marks, the time from the old instance's stop to the new one's start; an instance that never comes back
  // is down, not being deployed.
  return service.absent_since && now_ < *service.absent_since + spec.start_deadline;
}

bool Core::is_paused(const WatchedService& service) const {
  return service.record.paused_until && now_ < *service.record.paused_until;
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

}  // namespace rules
