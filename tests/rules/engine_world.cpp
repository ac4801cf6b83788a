#include "engine_world.hpp"

#include <algorithm>
#include <utility>

namespace world {

using namespace rules;

namespace {

constexpr Duration read_every = 10s;
// What the watcher keeps of its samples and refills windows with.
constexpr std::size_t recorded_max = 2000;

SharedSeriesKey key(const std::string& name, const std::string& code) {
  return std::make_shared<const SeriesKey>(SeriesKey{name, {{"code", code}}});
}

const SharedSeriesKey process_start = std::make_shared<const SeriesKey>(SeriesKey{"process_start_time_seconds", {}});

std::string head(const std::string& text, char at) { return text.substr(0, text.find(at)); }

}  // namespace

void FakeJournal::save(const Record& record) {
  if (const auto* x = std::get_if<LedgerRecord>(&record)) ledger[{x->service.text, x->revision.text}] = *x;
  if (const auto* x = std::get_if<ServiceRecord>(&record)) services[x->service.text] = *x;
  if (const auto* x = std::get_if<FuseRecord>(&record)) fuse.push_back(*x);
  if (const auto* x = std::get_if<IncidentRecord>(&record)) incidents[x->id.text] = *x;
  if (const auto* x = std::get_if<StepRecord>(&record)) steps[x->id] = *x;
  if (const auto* x = std::get_if<SpanRecord>(&record)) spans[x->rule.text] = *x;
  if (const auto* x = std::get_if<SpansHeld>(&record); x != nullptr && held.follow(*x)) spans.clear();
}

static bool has_later(const std::vector<ServiceRecord>& services, const IncidentId& id) {
  return std::any_of(services.begin(), services.end(), [&](const ServiceRecord& service) {
    const auto names = [&](const std::vector<IncidentId>& ids) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    return names(service.later) || names(service.unsettled);
  });
}

DurableState FakeJournal::read_back(Instant last_alive) const {
  DurableState out;
  for (const auto& [id, record] : ledger) out.ledger.push_back(record);
  for (const auto& [id, record] : services) out.services.push_back(record);
  out.fuse = fuse;
  for (const auto& [id, record] : incidents) {
    out.incident_ids.push_back(record.id);
    if (record.phase != IncidentPhase::closed) out.incidents.push_back(record);
    if (record.phase == IncidentPhase::closed && has_later(out.services, record.id)) out.ended.push_back(record);
  }
  for (const auto& [id, record] : steps) out.steps.push_back(record);
  for (const auto& [id, record] : spans) {
    out.spans.push_back(record);
    held.hold(out.spans.back());
  }
  out.last_alive = last_alive;
  return out;
}

World::World(CoreConfig config) : config_(std::move(config)) {
  for (const ServiceSpec& spec : config_.services) reality[spec.name.text];
  engine_ = std::make_unique<Engine>(config_, DurableState{}, now_);
  start();
}

void World::schedule(Duration in, std::function<void()> what) {
  agenda_.emplace(now_ + in, std::pair(life_, std::move(what)));
}

// A watcher's own clocks: polls and looks, spread so that nothing falls together, and one service after the other, so
// that how many others there are changes nothing of its times.
void World::start() {
  Duration offset = 100ms;
  std::set<std::string> spread;
  for (const ServiceSpec& spec : config_.services) {
    for (const ProbeShape& probe : config_.probes) {
      if (service_of_probe(probe.name.text) != spec.name.text) continue;
      schedule(offset, [this, name = probe.name.text] { poll_regularly(name); });
      spread.insert(probe.name.text);
      offset += 300ms;
    }
    if (!spec.has_identity) continue;
    schedule(offset, [this, name = spec.name.text] { read(name); });
    offset += 300ms;
  }
  for (const ProbeShape& probe : config_.probes) {
    if (spread.contains(probe.name.text)) continue;
    schedule(offset, [this, name = probe.name.text] { poll_regularly(name); });
    offset += 300ms;
  }
}

std::string World::service_of_probe(const std::string& probe) const { return head(probe, '_'); }

void World::poll_regularly(const std::string& probe) {
  const Reality& real = reality[service_of_probe(probe)];
  const Duration takes = real.poll_takes ? real.poll_takes() : Duration::zero();
  schedule(std::max(poll_every, takes), [this, probe] { poll_regularly(probe); });
  if (takes == Duration::zero()) return poll(probe, now_);
  schedule(takes, [this, probe, started = now_] { poll(probe, started); });
}

void World::poll(const std::string& probe, Instant started) {
  const std::string name = service_of_probe(probe);
  Reality& real = reality[name];
  const std::string& revision = real.running.text;
  const bool sick = real.unhealthy.contains(revision) && probe == name + "_health";
  const bool down = sick || real.crashing.contains(revision);
  Poll out;
  out.probe = ProbeName(probe);
  out.started = started;
  out.ended = now_;
  out.up = down ? Up::down : Up::up;
  if (down) out.fault = Fault{FaultKind::refused, "connect: refused"};
  if (sick && real.answers_sick) out.fault = Fault{FaultKind::server_error, "503"};
  if (!real.probes_work) {
    out.up = Up::unknown;
    out.fault = Fault{FaultKind::dns, "no such host"};
  }
  if (out.up == Up::up && probe == name + "_app") {
    const double share = std::max(real.extra_errors, real.sick.contains(revision) ? 0.3 : 0.0);
    const double requests = real.requests_per_second * seconds(now_ - real.counted);
    real.counted = now_;
    real.total += requests;
    real.errors += requests * share;
    if (real.has_counters) {
      out.readings.push_back({key("http_requests_total", "200"), real.total - real.errors});
      out.readings.push_back({key("http_requests_total", "500"), real.errors});
    }
    if (real.process_start > 0) out.readings.push_back({process_start, real.process_start});
  }
  recorded_.push_back(out);
  if (recorded_.size() > recorded_max) recorded_.erase(recorded_.begin(), recorded_.begin() + recorded_max / 2);
  engine_->observe(out);
}

void World::read(const std::string& service) {
  schedule(read_every, [this, service] { read(service); });
  look(service);
}

void World::look(const std::string& service) {
  RevisionRead out;
  out.service = ServiceName(service);
  out.started = now_;
  out.ended = now_;
  out.by = "`cat /run/" + service + "`";
  out.stopped = reality[service].stopped;
  out.instance_absent = !out.stopped.empty();
  const bool answers =
      !reality[service].tells_itself || !reality[service].crashing.contains(reality[service].running.text);
  out.broken_off = reality[service].broken_off;
  if (reality[service].divided) {
    out.error = "instances run v1 and v2; do restart them";
    out.instances_differ = true;
  } else if (reality[service].readable && answers && !out.broken_off) {
    const auto misread = std::exchange(reality[service].misread, std::nullopt);
    out.revision = misread.value_or(reality[service].running);
    out.schema = reality[service].schema;
    out.unfinished = reality[service].unfinished;
    if (out.revision) out.label = reality[service].labels[out.revision->text];
  } else {
    out.error = "identify: exit code 1; do mend it";
  }
  engine_->observe(out);
}

void World::run(Duration d) {
  run_until([] { return false; }, d);
}

void World::settle_on_v2() {
  run(5min);
  deploy("v2");
  run(70min);
}

bool World::run_until(const std::function<bool()>& done, Duration most) {
  const Instant end = now_ + most;
  Instant spans_at = now_;
  turn();
  while (!done()) {
    Instant next = end;
    if (!agenda_.empty()) next = std::min(next, agenda_.begin()->first);
    if (const std::optional<Instant> deadline = engine_->next_deadline()) next = std::min(next, *deadline);
    now_ = std::max(now_, next);
    while (!agenda_.empty() && agenda_.begin()->first <= now_) {
      const auto [life, what] = agenda_.begin()->second;
      agenda_.erase(agenda_.begin());
      if (life == life_ || life == 0) what();
    }
    turn();
    if (now_ >= spans_at + spans_every) {
      spans_at = now_;
      const SpanChanges changes = span_keeping_.changes(engine_->spans(now_), now_);
      journal.save(changes.rest);
      for (const SpanRecord& span : changes.changed) journal.save(span);
    }
    if (now_ >= end) return done();
  }
  return true;
}

void World::turn() {
  do {
    carry_out(engine_->advance(now_));
    if (std::exchange(dead_, false)) crash();
  } while (engine_->next_deadline().value_or(Instant::max()) <= now_);
}

void World::carry_out(std::vector<Command> batch) {
  for (const Command& command : batch) {
    if (dead_) return;
    if (commands_left_ > 0 && --commands_left_ == 0) {
      dead_ = true;
      commands_left_ = -1;
      return;
    }
    do_one(command);
  }
}

void World::do_one(const Command& command) {
  if (const auto* x = std::get_if<Save>(&command)) journal.save(x->record);
  if (const auto* x = std::get_if<Tell>(&command)) tells.push_back(*x);
  if (const auto* x = std::get_if<Note>(&command)) notes.push_back(*x);
  if (const auto* x = std::get_if<Perform>(&command)) perform(*x);
  if (const auto* x = std::get_if<PollNow>(&command)) {
    ++polls_asked;
    schedule(10ms, [this, name = x->probe.text] { poll(name, now_); });
  }
  if (const auto* x = std::get_if<ReadRevision>(&command)) {
    schedule(20ms, [this, name = x->service.text] { look(name); });
  }
  if (const auto* x = std::get_if<LockHost>(&command)) {
    const bool refused = lock_refused;
    schedule(5ms, [this, id = x->id, refused] {
      StepResult result;
      result.status = refused ? StepStatus::failed : StepStatus::succeeded;
      result.detail = refused ? "deploy begin has it" : "";
      carry_out(engine_->complete(id, result, now_));
    });
  }
  if (const auto* x = std::get_if<CancelStep>(&command)) {
    schedule(50ms, [this, id = x->id] {
      mutating_now_.erase(id);
      carry_out(engine_->complete(id, {StepStatus::interrupted, {}, "cancelled", "", 0}, now_));
    });
  }
}

void World::check(const Perform& command) {
  const auto step = journal.steps.find(command.id);
  if (step == journal.steps.end() || step->second.ended) violations.push_back("performed without its intent saved");
  const auto incident = journal.incidents.find(command.id.incident.text);
  if (incident == journal.incidents.end() || !incident->second.in_flight) {
    violations.push_back("performed without its incident saved");
  }
  if (!command.mutating) return;
  if (!mutating_now_.empty()) violations.push_back("two mutating steps at once");
  const auto script = scripts.find(describe(command.step));
  mutating_now_[command.id] = now_ + (script == scripts.end() ? Script{} : script->second).takes;
}

void World::perform(const Perform& command) {
  if (journal_locked) {
    return schedule(5s, [this, id = command.id] {
      carry_out(engine_->complete(id, {StepStatus::skipped, {}, "the journal is locked", "", 0}, now_));
    });
  }
  check(command);
  deeds.push_back({now_, command});
  const std::string what = describe(command.step);
  const auto found = scripts.find(what);
  const Script script = found == scripts.end() ? Script{} : found->second;
  if (std::holds_alternative<SwitchStep>(command.step.what) && script.switches &&
      (script.unseen || script.status == StepStatus::succeeded)) {
    // The world changes whether or not the watcher lives to see it.
    agenda_.emplace(now_ + script.takes, std::pair(0, [this, command] {
                      Reality& real = reality[command.context.service.text];
                      if (!command.context.to.empty()) real.running = command.context.to;
                      if (real.on_switch) real.on_switch(real);
                    }));
  }
  schedule(script.takes, [this, id = command.id, script] {
    mutating_now_.erase(id);
    const bool done = script.status == StepStatus::succeeded;
    const std::string detail = done ? script.says : "exit 1";
    carry_out(engine_->complete(id, {script.status, {}, detail, "", 0, !script.begins, script.unseen}, now_));
  });
}

void World::deploy(const std::string& revision, const std::string& service) {
  reality[service].running = Revision(revision);
}

void World::mark(MarkKind kind, std::optional<std::string> revision, const std::string& service,
                 std::optional<RollbackPolicy> policy, std::string schema) {
  DeployMark mark;
  mark.service = ServiceName(service);
  mark.at = now_;
  mark.kind = kind;
  if (revision) mark.revision = Revision(*revision);
  mark.policy = policy;
  mark.schema = std::move(schema);
  observe(mark);
}

void World::observe(Event event) {
  engine_->observe(std::move(event));
  turn();
}

Answer World::ask(const Request& request) {
  Answer answer = engine_->request(request, now_);
  turn();
  return answer;
}

void World::reload(CoreConfig config) {
  config_ = config;
  carry_out(engine_->reload(std::move(config), now_));
}

void World::freeze(Duration d) {
  std::multimap<Instant, std::pair<int, std::function<void()>>> later;
  for (auto& [at, what] : agenda_) later.emplace(at + d, std::move(what));
  agenda_ = std::move(later);
  now_ += d;
  turn();
}

void World::crash_into(CoreConfig config) {
  config_ = std::move(config);
  crash();
}

void World::crash(Duration downtime) {
  ++crashes_;
  ++life_;
  const Instant died = now_;
  // The world's own things go on while nobody watches.
  const Instant back = now_ + downtime;
  std::erase_if(agenda_, [&](const auto& entry) { return entry.second.first != 0; });
  while (!agenda_.empty() && agenda_.begin()->first <= back) {
    now_ = agenda_.begin()->first;
    const auto what = agenda_.begin()->second.second;
    agenda_.erase(agenda_.begin());
    what();
  }
  now_ = back;
  for (auto& [name, real] : reality) real.counted = std::min(real.counted, now_);
  std::erase_if(recorded_, [&](const Poll& poll) { return poll.ended >= now_; });
  DurableState durable = journal.read_back(died);
  std::erase_if(mutating_now_, [&](const auto& step) { return !steps_outlive || step.second <= now_; });
  for (const auto& [id, until] : mutating_now_) {
    durable.at_work = id;
    schedule(until - now_, [this, step = id] {
      mutating_now_.erase(step);
      const StepStatus status = ends_are_seen ? StepStatus::succeeded : StepStatus::interrupted;
      carry_out(engine_->complete(step, {status, {}, "it ended by itself", "", 0}, now_));
    });
  }
  engine_ = std::make_unique<Engine>(config_, std::move(durable), now_);
  span_keeping_ = {};
  for (const Poll& poll : recorded_) engine_->refill(poll);
  start();
  turn();
}

ServiceView World::service(const std::string& name) const {
  for (const ServiceView& one : view().services) {
    if (one.service.text == name) return one;
  }
  return {};
}

RuleView World::rule(const std::string& name) const {
  for (const RuleView& one : view().rules) {
    if (one.rule.text == name) return one;
  }
  return {};
}

std::optional<IncidentRecord> World::open(const std::string& service) const {
  for (const IncidentRecord& one : view().open_incidents) {
    if (one.service.text == service) return one;
  }
  return std::nullopt;
}

std::vector<IncidentRecord> World::all(const std::string& service) const {
  std::vector<IncidentRecord> out;
  for (const auto& [id, record] : journal.incidents) {
    if (record.service.text == service) out.push_back(record);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.opened < b.opened; });
  return out;
}

std::optional<IncidentRecord> World::last(const std::string& service) const {
  const std::vector<IncidentRecord> records = all(service);
  if (records.empty()) return std::nullopt;
  return records.back();
}

std::optional<Situation> World::situation() const {
  const std::optional<IncidentRecord> newest = last();
  return newest ? engine_->situation(newest->id, now_) : std::nullopt;
}

std::string World::outcome(const std::string& service) const {
  const std::optional<IncidentRecord> record = last(service);
  if (!record) return "none";
  return record->outcome ? std::string(to_string(*record->outcome)) : "open";
}

bool World::closed(const std::string& service) const {
  const std::optional<IncidentRecord> newest = last(service);
  return newest && newest->closed;
}

std::string World::phase(const std::string& service) const {
  const std::optional<IncidentRecord> record = open(service);
  return record ? std::string(to_string(record->phase)) : "none";
}

Standing World::standing(const std::string& revision, const std::string& service) const {
  const auto found = journal.ledger.find({service, revision});
  return found == journal.ledger.end() ? Standing::candidate : found->second.standing;
}

std::vector<std::string> World::performed(const std::string& service) const {
  std::vector<std::string> out;
  for (const Done& done : deeds) {
    if (done.command.context.service.text == service) out.push_back(describe(done.command.step));
  }
  return out;
}

int World::count_performed(const std::string& what) const {
  return static_cast<int>(
      std::count_if(deeds.begin(), deeds.end(), [&](const Done& done) { return describe(done.command.step) == what; }));
}

int World::told(Stage stage) const {
  return static_cast<int>(
      std::count_if(tells.begin(), tells.end(), [&](const Tell& t) { return t.stage == stage && !t.notifier; }));
}

bool World::told_text(const std::string& part) const {
  return std::any_of(tells.begin(), tells.end(), [&](const Tell& t) {
    return t.text.find(part) != std::string::npos || t.title.find(part) != std::string::npos;
  });
}

int World::noted(const std::string& event) const {
  return static_cast<int>(
      std::count_if(notes.begin(), notes.end(), [&](const Note& note) { return note.event == event; }));
}

}  // namespace world
