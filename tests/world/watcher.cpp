#include "watcher.hpp"

#include <algorithm>
#include <utility>

namespace sim {

using namespace rules;

namespace {

constexpr Duration look_every = 10s;
constexpr Duration house_every = 10s;
constexpr std::size_t recorded_max = 1500;  // what windows are refilled with

Page page_of(const std::string& probe) {
  if (probe.ends_with("_health")) return Page::health;
  return probe.ends_with("_app") ? Page::app : Page::host;
}

std::string service_of(const std::string& probe) { return probe.substr(0, probe.find('_')); }

}  // namespace

Watcher::Watcher(int number, CoreConfig config, Outside outside)
    : number_(number), config_(std::move(config)), outside_(outside), life_(number * 1'000'000) {
  start();
}

bool Watcher::owns(const std::string& service) const {
  return std::any_of(config_.services.begin(), config_.services.end(),
                     [&](const ServiceSpec& one) { return one.name.text == service; });
}

std::optional<Instant> Watcher::next_deadline() const { return engine_ ? engine_->next_deadline() : std::nullopt; }

void Watcher::start() {
  ++life_;
  dying_ = false;
  moments_left_ = -1;
  in_flight_.clear();
  running_.clear();
  DurableState durable = journal_.read_back();
  std::vector<StepId> left;
  for (const AtWork& one : outside_.host.at_work) {
    if (one.watcher == number_) left.push_back(one.step);
  }
  if (!left.empty()) durable.at_work = left.front();
  engine_ = std::make_unique<Engine>(config_, std::move(durable), now());
  span_keeping_ = {};
  outside_.witness.started(*this);
  outside_.witness.disturbed(*this);
  for (const Poll& poll : recorded_) engine_->refill(poll);
  for (const StepId& step : left) see_out(step);
  for (const DeployMark& mark : std::exchange(spooled_, {})) hear(mark);
  hold_on_to_deployments();
  begin_loops();
  turn();
}

// A deployment that was under way when the watcher ended still is.
void Watcher::hold_on_to_deployments() {
  for (const ServiceView& service : view().services) {
    if (!service.deploying) continue;
    static_cast<void>(outside_.host.take_lock(number_, "deployment of " + service.service.text, now()));
  }
}

void Watcher::release_ended_deployments() {
  for (const ServiceView& service : view().services) {
    if (!service.deploying) outside_.host.release_lock(number_, "deployment of " + service.service.text);
  }
}

// Spread, so that nothing falls together, and one service's times do not depend on how many others there are.
void Watcher::begin_loops() {
  Duration offset = 100ms;
  for (const ProbeShape& probe : config_.probes) {
    later(offset, [this, probe] { poll_again(probe); });
    offset += 170ms;
  }
  for (const ServiceSpec& service : config_.services) {
    ReadinessRead ready;
    ready.service = service.name;
    ready.at = now();
    ready.ready = true;
    engine_->observe(ready);
    if (service.has_identity) later(offset, [this, name = service.name.text] { look_again(name); });
    offset += 170ms;
  }
  later(house_every, [this] { keep_house(); });
}

void Watcher::poll_again(const ProbeShape& probe) {
  later(probe.interval, [this, probe] { poll_again(probe); });
  begin_poll(probe.name.text);
}

void Watcher::begin_poll(const std::string& probe) {
  if (in_flight_[probe] > 0) return;
  const auto found = paths.find(probe);
  const Path path = found == paths.end() ? Path::well : found->second;
  if (path == Path::loses && ++polls_[probe] % 2 == 0) return;
  ++in_flight_[probe];
  Duration takes = 20ms;
  if (path == Path::late) takes = outside_.dice.between(1s, 4s);
  if (path == Path::times_out) takes = 4s;
  later(takes, [this, probe, started = now(), path] { end_poll(probe, started, path); });
}

void Watcher::end_poll(const std::string& probe, Instant started, Path path) {
  --in_flight_[probe];
  Poll poll;
  poll.probe = ProbeName(probe);
  poll.started = started;
  poll.ended = now();
  const auto fault = [&poll](FaultKind kind, const char* what, Up up) {
    poll.up = up;
    poll.fault = Fault{kind, what};
  };
  switch (path) {
    case Path::well:
    case Path::late:
    case Path::loses:
      outside_.host.applications.at(service_of(probe))->answer(page_of(probe), now(), poll);
      break;
    case Path::times_out:
      fault(FaultKind::timeout, "no answer within 4s", Up::down);
      break;
    case Path::refused:
      fault(FaultKind::refused, "connect: refused", Up::down);
      break;
    case Path::no_name:
      fault(FaultKind::dns, "no such host", Up::unknown);
      break;
    case Path::garbage:
      fault(FaultKind::parse, "not a page", Up::unknown);
      break;
  }
  unrecorded_.push_back(poll);
  outside_.witness.polled(*this, poll);
  observe(std::move(poll));
}

void Watcher::look_again(const std::string& service) {
  later(look_every, [this, service] { look_again(service); });
  look(service);
}

void Watcher::look(const std::string& service) {
  RevisionRead read;
  read.service = ServiceName(service);
  read.started = now();
  read.ended = now();
  if (divided[service]) {
    read.error = "instances disagree";
    read.instances_differ = true;
  } else if (unreadable[service]) {
    read.error = "identify: exit code 1";
  } else if (const auto misread = misreads.extract(service)) {
    read.revision = Revision(misread.mapped());
  } else {
    const Application& app = *outside_.host.applications.at(service);
    read.revision = Revision(app.running());
    const auto schema = app.schemas.find(app.running());
    if (schema != app.schemas.end()) read.schema = schema->second;
  }
  outside_.witness.looked(*this, read);
  observe(std::move(read));
}

// Spans and samples for the next start, and whether the disk is well.
void Watcher::keep_house() {
  later(house_every, [this] { keep_house(); });
  SpanChanges changes = span_keeping_.changes(engine_->spans(now()), now());
  Batch spans{Save{changes.rest}};
  for (SpanRecord& span : changes.changed) spans.emplace_back(Save{std::move(span)});
  push(std::move(spans));
  release_ended_deployments();
  if (journal_.disk == Disk::well) {
    journal_.alive(now());
    recorded_.insert(recorded_.end(), unrecorded_.begin(), unrecorded_.end());
    unrecorded_.clear();
    if (recorded_.size() > 2 * recorded_max) recorded_.erase(recorded_.begin(), recorded_.end() - recorded_max);
  }
  const std::string trouble = journal_.disk == Disk::well ? "" : "the disk is in trouble";
  if (trouble == trouble_) return;
  trouble_ = trouble;
  observe(SelfDegraded{now(), trouble, !trouble.empty(), false});
}

void Watcher::observe(Event event) {
  if (!is_alive()) return;
  if (const auto* degraded = std::get_if<SelfDegraded>(&event)) outside_.witness.degraded(*this, *degraded);
  engine_->observe(std::move(event));
}

Answer Watcher::request(const Request& request) {
  if (!is_alive()) return {};
  const Answer answer = engine_->request(request, now());
  outside_.witness.asked(*this, request, answer);
  turn();
  return answer;
}

bool Watcher::mark(const DeployMark& mark) {
  const std::string purpose = "deployment of " + mark.service.text;
  if (mark.kind == MarkKind::begin && !outside_.host.take_lock(number_, purpose, now()).empty()) return false;
  if (is_alive()) {
    hear(mark);
    turn();
  }
  // Who had no answer says it again.
  if (!is_alive()) spooled_.push_back(mark);
  if (mark.kind != MarkKind::begin) outside_.host.release_lock(number_, purpose);
  return true;
}

void Watcher::hear(const DeployMark& mark) {
  outside_.witness.marked(*this, mark);
  observe(mark);
}

void Watcher::reload(CoreConfig config) {
  if (!is_alive()) return;
  config_ = config;
  outside_.witness.disturbed(*this);
  push(engine_->reload(std::move(config), now()));
  turn();
}

void Watcher::turn() {
  if (!is_alive()) return;
  do {
    push(engine_->advance(now()));
    if (dying_) return die();
  } while (next_deadline().value_or(Instant::max()) <= now());
}

void Watcher::kill(Kill how, Duration downtime) {
  if (!is_alive()) return;
  death_ = how;
  downtime_ = downtime;
  die();
}

void Watcher::kill_after(int moments, Kill how, Duration downtime) {
  moments_left_ = moments;
  death_ = how;
  downtime_ = downtime;
}

// A moment at which a crash makes a difference.
bool Watcher::survives() {
  if (dying_) return false;
  if (moments_left_ > 0 && --moments_left_ == 0) dying_ = true;
  return !dying_;
}

// What a failed sync left, as if it had died right after the commit: its messages are in the same transaction.
void Watcher::lose_power() {
  std::erase_if(outside_.host.at_work, [this](const AtWork& one) { return one.watcher == number_; });
  const std::vector<Record> found = journal_.power_cut(outside_.dice);
  if (found.empty()) return;
  for (const Record& record : found) outside_.witness.saved(*this, record);
  for (const Tell& tell : unsynced_tells_) outside_.witness.told(*this, tell);
}

void Watcher::die() {
  outside_.agenda.drop(life_);
  if (death_ == Kill::power) lose_power();
  engine_.reset();
  batches_.clear();
  owed_.clear();
  owed_tells_.clear();
  unsynced_tells_.clear();
  unrecorded_.clear();
  writing_since_.reset();
  trouble_.clear();
  Host& host = outside_.host;
  if (host.lock_holder == number_) host.lock_holder = 0;
  outside_.agenda.add(Agenda::of_the_world, downtime_, [this] { start(); });
}

void Watcher::jump(Duration by) {
  if (!is_alive()) return;
  outside_.witness.disturbed(*this);
  observe(ClockJump{now(), by});
}

void Watcher::stand_still(Duration d) {
  if (!is_alive()) return;
  outside_.agenda.delay(life_, d);
  outside_.witness.disturbed(*this);
}

}  // namespace sim
