#include "configuring.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "engine_world.hpp"

namespace sim {

using namespace rules;

namespace {

template <class T>
T parsed(Parsed<T> from) {
  return std::get<T>(std::move(from));
}

void add_service(CoreConfig& config, const std::string& name, Duration interval) {
  config.services.push_back(world::service(name));
  // Of the others each probe speaks for itself.
  if (config.services.size() == 1) config.services.back().health = ProbeName(name + "_health");
  for (const char* kind : {"_health", "_app", "_host"}) {
    ProbeShape probe;
    probe.name = ProbeName(name + kind);
    probe.interval = interval;
    probe.max_gap = interval * 5 / 2;
    config.probes.push_back(probe);
  }
  SignalSpec errors;
  errors.name = SignalName(name + "_errors");
  errors.probe = ProbeName(name + "_app");
  errors.of = std::vector<RatioOf>{
      {parsed(parse_selector(R"(http_requests_total{code=~"5.."})")), parsed(parse_selector("http_requests_total"))}};
  config.signals.push_back(errors);
  SignalSpec slow;
  slow.name = SignalName(name + "_p95");
  slow.probe = ProbeName(name + "_app");
  slow.of = std::vector<QuantileOf>{{0.95, parsed(parse_selector("http_request_duration_seconds"))}};
  config.signals.push_back(slow);
}

RuleSpec& add_rule(CoreConfig& config, const std::string& service, const std::string& kind, const std::string& when,
                   Duration sustain) {
  config.rules.push_back(world::rule(service + "-" + kind, when, sustain, {"rollback"}, service));
  return config.rules.back();
}

void add_rules(CoreConfig& config, const std::string& service) {
  add_rule(config, service, "errors", service + "_errors > 5%", 1min);
  add_rule(config, service, "slow", service + "_p95 > 1", 1min);
  add_rule(config, service, "memory", service + "_host.memory_used > 90%", 1min);
  add_rule(config, service, "down", service + "_health.up == 0", 30s).severity = Severity::p0;
}

void vary(Dice& dice, RuleSpec& rule) {
  rule.sustain = dice.pick(std::vector<Duration>{0s, 10s, 30s, 30s, 1min, 1min, 1min, 2min, 2min, 5min});
  if (rule.severity != Severity::p0 && dice.percent(30)) {
    rule.severity = dice.pick(std::vector<Severity>{Severity::p0, Severity::p2, Severity::p3});
  }
  if (dice.percent(8)) rule.mode = dice.pick(std::vector<Mode>{Mode::notify, Mode::ask, Mode::act});
  if (dice.percent(35)) rule.respond = world::restart_then_rollback();
  if (dice.percent(20)) rule.quorum = dice.pick(std::vector<double>{0.6, 0.75, 1.0});
}

void vary(Dice& dice, ServiceSpec& service) {
  if (dice.percent(50)) service.arm = Arm::always;
  if (dice.percent(25)) service.ask_then = AskThen::act;
  service.ask_timeout = dice.pick(std::vector<Duration>{3min, 10min});
  service.start_deadline = dice.pick(std::vector<Duration>{1min, 2min, 5min});
  service.cooldown = dice.pick(std::vector<Duration>{2min, 10min});
  service.fuse.switches_per_day = static_cast<int>(1 + dice.below(3));
  service.fuse.mutations_per_hour = static_cast<int>(1 + dice.below(3));
}

// A service of which nobody can read what runs, and rules that compare with what was before.
void vary_more(Dice& more, CoreConfig& config) {
  for (ServiceSpec& service : config.services) {
    if (more.percent(12)) {
      service.has_identity = false;
      if (more.percent(80)) service.arm = Arm::always;
    }
    const std::string errors = service.name.text + "_errors";
    const bool compares = more.percent(20);
    for (RuleSpec& rule : config.rules) {
      if (!compares || rule.name.text != service.name.text + "-errors") continue;
      rule.when = world::condition(errors + " > 5% and " + errors + " > 3 * baseline(" + errors + ")");
    }
  }
}

// Plans that ask in the middle, wait for what they brought, and compare with what was when the incident opened.
void vary_rollback(Dice& more, CoreConfig& config) {
  ActionSpec& rollback = config.actions.front();
  const auto is_switch = [](const StepSpec& step) { return std::holds_alternative<SwitchStep>(step.what); };
  if (more.percent(12)) {
    const auto before = std::find_if(rollback.steps.begin(), rollback.steps.end(), is_switch);
    rollback.steps.insert(before, world::question("is the backup done?"));
  }
  if (config.services.size() != 1) return;
  const std::string& service = config.services.front().name.text;
  if (more.percent(15)) {
    const auto switches = std::find_if(rollback.steps.begin(), rollback.steps.end(), is_switch);
    rollback.steps.insert(switches + 1, world::wait(service + "_health.up == 1", 15s, 3min));
    if (more.percent(50)) rollback.steps.push_back(world::run("announce"));
  }
  if (more.percent(10)) {
    rollback.verify.when = world::condition(service + "_errors <= before(" + service + "_errors)");
  }
}

// Something to look at, and something to do, when it is over.
void vary_later(Dice& more, CoreConfig& config) {
  if (!more.percent(40)) return;
  LaterSpec look;
  look.after = more.pick(std::vector<Duration>{10min, 30min});
  look.when = world::condition(config.services.front().name.text + "_errors < 1%");
  LaterSpec remind;
  remind.after = 1h;
  remind.text = "look at the queue";
  config.actions.front().later = {std::move(look), std::move(remind)};
}

void add_actions(CoreConfig& config, Dice& dice) {
  ActionSpec rollback = world::action("rollback", {});
  if (dice.percent(30)) rollback.steps.push_back(world::notify("team"));
  if (dice.percent(30)) rollback.steps.push_back(world::capture("logs"));
  if (dice.percent(40)) rollback.steps.push_back(world::run("pause-queue"));
  if (dice.percent(15)) rollback.steps.push_back(world::sleep(20s));
  rollback.steps.push_back(world::switch_step());
  if (dice.percent(15)) rollback.steps.back().idempotent = true;
  if (dice.percent(20)) rollback.steps.push_back(world::run("warm-caches", OnFailure::abort));
  if (dice.percent(30)) rollback.on_success = {world::run("resume-queue")};
  rollback.on_failure = {world::run("maintenance")};
  rollback.always = {world::run("tidy")};
  if (dice.percent(30)) rollback.always.push_back(world::run("sweep"));
  ActionSpec restart = world::action("restart", {world::run("restart", OnFailure::abort)});
  restart.steps.front().retry = dice.percent(30) ? 1 : 0;
  if (dice.percent(40)) restart.settle = dice.pick(std::vector<Duration>{20s, 1min});
  if (dice.percent(50)) restart.always = {world::run("tidy-restart")};
  restart.on_failure = {world::run("page")};
  config.actions = {std::move(rollback), std::move(restart)};
}

}  // namespace

CoreConfig configure(Dice& dice, Dice& more, const std::vector<std::string>& services) {
  CoreConfig config;
  const Duration interval = dice.pick(std::vector<Duration>{5s, 10s, 15s, 15s});
  for (const std::string& name : services) {
    add_service(config, name, interval);
    add_rules(config, name);
  }
  for (RuleSpec& rule : config.rules) vary(dice, rule);
  for (ServiceSpec& service : config.services) vary(dice, service);
  if (services.size() > 1 && dice.percent(50)) config.services[0].depends_on = {config.services[1].name};
  if (services.size() > 1 && dice.percent(30)) {
    config.rules[0].unless = world::condition(services[1] + "_health.up == 0");
  }
  add_actions(config, dice);
  vary_more(more, config);
  vary_rollback(more, config);
  vary_later(more, config);
  if (dice.percent(8)) config.mode = dice.pick(std::vector<Mode>{Mode::observe, Mode::ask});
  return config;
}

CoreConfig configure_plainly(Dice& dice, const std::string& service) {
  CoreConfig config;
  add_service(config, service, 5s);
  add_rules(config, service);
  for (RuleSpec& rule : config.rules) rule.sustain = dice.pick(std::vector<Duration>{30s, 1min, 2min});
  add_actions(config, dice);
  // A step that a restart interrupts and that does not bear repetition would end it otherwise, as it should.
  for (ActionSpec& action : config.actions) {
    for (auto* steps : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
      for (StepSpec& step : *steps) step.idempotent = true;
    }
  }
  return config;
}

}  // namespace sim
