#include "simulation.hpp"

#include <algorithm>

namespace sim {

using namespace rules;

namespace {

constexpr Duration look_around_every = 20s;
const Instant beginning(24h * 365 * 50);

class Simulation {
 public:
  explicit Simulation(const Script& script);
  Verdict run();

 private:
  void happen(const Happening& one);
  void deploy(const Happening& one);
  void hotfix(const Happening& one);
  void people(const Happening& one);
  void to_process(const Happening& one);
  void to_surroundings(const Happening& one);
  void heal();
  Application& app(const std::string& name) { return *host_.applications.at(name); }
  Watcher& of(const std::string& service);
  void later(Duration in, std::function<void()> what) { agenda_.add(Agenda::of_the_world, in, std::move(what)); }
  DeployMark mark(const std::string& service, MarkKind kind) const;

  const Script& script_;
  Agenda agenda_{beginning};
  Host host_;
  Dice dice_;
  Judge judge_{agenda_, host_};
  std::vector<std::unique_ptr<Watcher>> watchers_;
  bool healed_ = false;
};

Simulation::Simulation(const Script& script) : script_(script), dice_(script.seed ^ 0x5EEDU) {
  for (const CoreConfig& config : script.configs) {
    for (const ServiceSpec& service : config.services) {
      auto made = std::make_unique<Application>(service.name.text, agenda_.now());
      made->releases = script.releases;
      made->schemas = script.schemas;
      host_.applications.emplace(service.name.text, std::move(made));
    }
  }
  for (const Script::Need& one : script.needs) app(one.who).needs = {&app(one.whom), one.share, one.health};
  int number = 0;
  for (const CoreConfig& config : script.configs) {
    watchers_.push_back(std::make_unique<Watcher>(++number, config, Outside{agenda_, host_, judge_, dice_}));
  }
  for (const Happening& one : script.happenings) later(one.at, [this, &one] { happen(one); });
}

Watcher& Simulation::of(const std::string& service) {
  const auto found =
      std::find_if(watchers_.begin(), watchers_.end(), [&](const auto& one) { return one->owns(service); });
  return found == watchers_.end() ? *watchers_.front() : **found;
}

Verdict Simulation::run() {
  const Instant end = beginning + script_.length;
  Instant looked = beginning;
  while (agenda_.now() < end && judge_.breaches().empty()) {
    Instant next = std::min(agenda_.next(), end);
    for (const auto& watcher : watchers_) next = std::min(next, watcher->next_deadline().value_or(end));
    agenda_.pass_to(std::max(next, agenda_.now()));
    while (agenda_.next() <= agenda_.now()) agenda_.do_next();
    for (const auto& watcher : watchers_) {
      if (watcher->next_deadline().value_or(Instant::max()) <= agenda_.now()) watcher->turn();
    }
    if (agenda_.now() < looked + look_around_every) continue;
    looked = agenda_.now();
    for (const auto& watcher : watchers_) judge_.look_around(*watcher);
  }
  if (judge_.breaches().empty() && healed_) {
    for (const auto& watcher : watchers_) judge_.at_the_end(*watcher);
  }
  Verdict out;
  out.breaches = judge_.breaches();
  out.memory.assign(judge_.memory().begin(), judge_.memory().end());
  out.reached = judge_.reached();
  out.decisions = judge_.decisions();
  for (const std::string& line : out.memory) out.digest += line + "\n";
  out.lived = agenda_.now() - beginning;
  return out;
}

DeployMark Simulation::mark(const std::string& service, MarkKind kind) const {
  DeployMark out;
  out.service = ServiceName(service);
  out.at = agenda_.now();
  out.kind = kind;
  return out;
}

void Simulation::happen(const Happening& one) {
  judge_.remember("-- " + to_string(one));
  deploy(one);
  people(one);
  to_process(one);
  to_surroundings(one);
}

void Simulation::deploy(const Happening& one) {
  switch (one.what) {
    case What::deploy:
      return app(one.service).deploy(one.name, agenda_.now());
    case What::mark_forbidden:
    case What::mark_ask: {
      DeployMark said = mark(one.service, MarkKind::mark);
      said.revision = Revision(one.name);
      said.policy = one.what == What::mark_ask ? RollbackPolicy::ask : RollbackPolicy::forbidden;
      of(one.service).mark(said);
      return app(one.service).deploy(one.name, agenda_.now());
    }
    case What::mark_automatic: {
      DeployMark said = mark(one.service, MarkKind::mark);
      said.revision = Revision(one.name);
      said.policy = RollbackPolicy::automatic;
      of(one.service).mark(said);
      return;
    }
    case What::deploy_marked:
      if (!of(one.service).mark(mark(one.service, MarkKind::begin))) return;
      later(one.lasts / 2, [this, &one] { app(one.service).deploy(one.name, agenda_.now()); });
      return later(one.lasts, [this, &one] { of(one.service).mark(mark(one.service, MarkKind::end)); });
    case What::hotfix:
      return hotfix(one);
    case What::deploy_partly:
      of(one.service).divided[one.service] = true;
      later(one.lasts / 2, [this, &one] { app(one.service).deploy(one.name, agenda_.now()); });
      return later(one.lasts, [this, &one] { of(one.service).divided[one.service] = false; });
    default:
      return;
  }
}

// With `deploy begin` and `end`, or said when it is done.
void Simulation::hotfix(const Happening& one) {
  const bool begins = one.count > 0;
  if (begins && !of(one.service).mark(mark(one.service, MarkKind::begin))) return;
  later(one.lasts, [this, &one, begins] {
    app(one.service).deploy(one.name, agenda_.now());
    later(one.lasts, [this, &one, begins] {
      DeployMark said = mark(one.service, begins ? MarkKind::end : MarkKind::mark);
      said.policy = RollbackPolicy::forbidden;
      of(one.service).mark(said);
    });
  });
}

void Simulation::people(const Happening& one) {
  Watcher& watcher = of(one.service);
  const ServiceName name(one.service);
  if (!watcher.is_alive()) return;
  RollbackByHand by_hand;
  by_hand.service = name;
  by_hand.by = "person";
  if (!one.name.empty()) by_hand.to = Revision(one.name);
  const auto to_open = [&](auto request) {
    for (const IncidentRecord& open : watcher.view().open_incidents) {
      if (open.service != name) continue;
      request.incident = open.id;
      request.by = "person";
    }
    if (!request.incident.empty()) watcher.request(request);
  };
  switch (one.what) {
    case What::approve:
      return to_open(Approve{});
    case What::abort:
      return to_open(Abort{});
    case What::pause:
      watcher.request(Pause{name, one.lasts, "maintenance"});
      return;
    case What::resume:
      watcher.request(Resume{name});
      return;
    case What::by_hand_forced:
      by_hand.force = true;
      watcher.request(by_hand);
      return;
    case What::by_hand:
      watcher.request(by_hand);
      return;
    case What::fuse_reset:
      watcher.request(FuseReset{name});
      return;
    case What::declare_good:
    case What::declare_bad:
      watcher.request(
          Declare{name, Revision(one.name), one.what == What::declare_good ? Standing::good : Standing::bad});
      return;
    default:
      return;
  }
}

void Simulation::to_process(const Happening& one) {
  Watcher& watcher = of(one.service);
  const Kill how = one.amount > 0 ? Kill::power : Kill::process;
  switch (one.what) {
    case What::kill:
      return watcher.kill(how, one.lasts);
    case What::kill_soon:
      return watcher.kill_after(one.count, how, one.lasts);
    case What::stand_still:
      return watcher.stand_still(one.lasts);
    case What::clock_jump:
      return watcher.jump(one.lasts);
    case What::accept_state:
      watcher.observe(SelfDegraded{agenda_.now(), "the journal was damaged", false, true});
      return later(one.lasts, [this, &one] { of(one.service).request(AcceptState{}); });
    case What::reload:
      if (watcher.number() == 1) watcher.reload(script_.reloadable.front());
      return;
    case What::disk:
      watcher.set_disk(static_cast<Disk>(static_cast<int>(one.amount)));
      return later(one.lasts, [this, &one] { of(one.service).set_disk(Disk::well); });
    case What::fate:
      watcher.fates[one.name] = static_cast<Fate>(static_cast<int>(one.amount));
      return later(one.lasts, [this, &one] { of(one.service).fates.erase(one.name); });
    case What::path:
      watcher.paths[one.name] = static_cast<Path>(static_cast<int>(one.amount));
      return later(one.lasts, [this, &one] { of(one.service).paths.erase(one.name); });
    case What::misread:
      watcher.misreads[one.service] = one.name;
      return;
    case What::unreadable:
      watcher.unreadable[one.service] = true;
      return later(one.lasts, [this, &one] { of(one.service).unreadable[one.service] = false; });
    default:
      return;
  }
}

void Simulation::to_surroundings(const Happening& one) {
  switch (one.what) {
    case What::traffic:
      app(one.service).serve(agenda_.now());
      app(one.service).requests_per_second = one.amount;
      return;
    case What::trouble:
      app(one.service).serve(agenda_.now());
      app(one.service).trouble = one.amount;
      return later(one.lasts, [this, &one] {
        app(one.service).serve(agenda_.now());
        app(one.service).trouble = 0;
      });
    case What::dies:
      app(one.service).serve(agenda_.now());
      app(one.service).dead = true;
      return later(one.lasts, [this, &one] {
        if (app(one.service).dead) app(one.service).restart(agenda_.now());
      });
    case What::stranger:
      if (host_.lock_holder == 0) host_.stranger_until = agenda_.now() + one.lasts;
      return;
    case What::heal:
      return heal();
    default:
      return;
  }
}

// Everything works again and nobody meddles.
void Simulation::heal() {
  healed_ = true;
  host_.stranger_until = agenda_.now();
  for (const auto& [name, one] : host_.applications) {
    one->serve(agenda_.now());
    one->releases.clear();
    one->requests_per_second = 20;
    one->trouble = 0;
    if (one->dead) one->restart(agenda_.now());
    of(name).mark(mark(name, MarkKind::end));
    of(name).request(Resume{ServiceName(name)});
  }
  for (const auto& watcher : watchers_) {
    watcher->set_disk(Disk::well);
    watcher->fates.clear();
    watcher->paths.clear();
    watcher->unreadable.clear();
    watcher->divided.clear();
    watcher->misreads.clear();
    watcher->request(AcceptState{});
  }
}

}  // namespace

Verdict live(const Script& script) { return Simulation(script).run(); }

}  // namespace sim
