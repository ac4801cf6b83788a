#include <utility>

#include "engine_world.hpp"

namespace world {

using namespace rules;

Condition condition(const std::string& text) { return std::get<Condition>(parse_condition(text)); }

RuleSpec rule(const std::string& name, const std::string& when, Duration sustain, std::vector<std::string> respond,
              const std::string& service) {
  RuleSpec out;
  out.name = RuleName(name);
  out.service = ServiceName(service);
  out.when = condition(when);
  out.sustain = sustain;
  for (std::string& action : respond) out.respond.emplace_back(std::move(action));
  return out;
}

ServiceSpec service(const std::string& name) {
  ServiceSpec out;
  out.name = ServiceName(name);
  out.has_driver = true;
  out.has_identity = true;
  return out;
}

namespace {

StepSpec step(decltype(StepSpec::what) what, Duration limit, OnFailure on_failure) {
  StepSpec out;
  out.what = std::move(what);
  out.timeout = limit;
  out.on_failure = on_failure;
  return out;
}

}  // namespace

StepSpec run(const std::string& command, OnFailure on_failure) { return step(RunStep{{command}}, 5min, on_failure); }
StepSpec switch_step() { return step(SwitchStep{}, 30min, OnFailure::abort); }
StepSpec notify(const std::string& whom) { return step(NotifyStep{NotifierName(whom)}, 10s, OnFailure::proceed); }
StepSpec capture(const std::string& file) { return step(CaptureStep{file, {"logs"}}, 10s, OnFailure::proceed); }
StepSpec wait(const std::string& until, Duration hold, Duration limit) {
  return step(WaitStep{condition(until), hold}, limit, OnFailure::abort);
}
StepSpec sleep(Duration length) { return step(SleepStep{length}, 0s, OnFailure::proceed); }
StepSpec question(const std::string& text) { return step(AskStep{text}, 0s, OnFailure::abort); }

ActionSpec action(const std::string& name, std::vector<StepSpec> steps) {
  ActionSpec out;
  out.name = ActionName(name);
  out.steps = std::move(steps);
  return out;
}

void add_service(CoreConfig& config, const std::string& name) {
  config.services.push_back(service(name));
  for (const char* kind : {"_health", "_app"}) {
    ProbeShape probe;
    probe.name = ProbeName(name + kind);
    probe.interval = poll_every;
    config.probes.push_back(probe);
  }
  SignalSpec signal;
  signal.name = SignalName(name + "_errors");
  signal.probe = ProbeName(name + "_app");
  const auto selector = [](const char* text) { return std::get<Selector>(parse_selector(text)); };
  signal.of = std::vector<RatioOf>{{selector(R"(http_requests_total{code=~"5.."})"), selector("http_requests_total")}};
  config.signals.push_back(std::move(signal));
}

CoreConfig usual() {
  CoreConfig config;
  add_service(config, "web");
  config.rules.push_back(rule("errors", "web_errors > 5%", 1min));
  config.rules.push_back(rule("down", "web_health.up == 0", 30s));
  config.actions.push_back(action("rollback", {switch_step()}));
  config.actions.push_back(action("restart", {run("restart")}));
  return config;
}

CoreConfig with(const std::function<void(CoreConfig&)>& change) {
  CoreConfig config = usual();
  change(config);
  return config;
}

CoreConfig asking() {
  return with([](CoreConfig& config) { config.rules[0].severity = Severity::p2; });
}

CoreConfig armed_always(const std::function<void(CoreConfig&)>& change) {
  return with([&](CoreConfig& config) {
    config.services[0].arm = Arm::always;
    change(config);
  });
}

void explain_by_pg(CoreConfig& config) {
  add_service(config, "pg");
  config.rules[0].unless = condition("pg_health.up == 0");
}

void add_api(CoreConfig& config) {
  add_service(config, "api");
  config.rules.push_back(rule("api-errors", "api_errors > 5%", 1min, {"rollback"}, "api"));
}

std::vector<ActionName> restart_then_rollback() { return {ActionName("restart"), ActionName("rollback")}; }

void harm(World& w) {
  w.run(5min);
  w.deploy("bad");
}

void harm_explained_by_pg(World& w) {
  w.run(5min);
  w.deploy("crash", "pg");
  w.deploy("bad");
}

void bring_up_v2(World& w) {
  w.run(5min);
  w.deploy("v2");
  w.run(1min);
}

void errors_on(World& w) { w.reality["web"].extra_errors = 0.3; }
void errors_off(World& w) { w.reality["web"].extra_errors = 0; }

}  // namespace world
