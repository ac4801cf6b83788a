#include "watcher/config/expand_parts.hpp"

namespace watcher {

namespace {

struct WriteDriver {
  TomlWriter& out;

  void operator()(std::monostate) const {}
  void operator()(const CommandDriver& driver) const {
    out.string("driver", "command");
    out.strings_unless_empty("identify", driver.identify);
    out.strings_unless_empty("ready", driver.ready);
    out.strings_unless_empty("switch", driver.switch_to);
  }
  void operator()(const GitDriver& driver) const {
    out.string("driver", "git");
    out.strings_unless_empty("paths", driver.paths);
    out.strings_unless_empty("build", driver.build);
    out.strings_unless_empty("restart", driver.restart);
    out.duration("build_timeout", driver.build_timeout);
    out.duration("restart_timeout", driver.restart_timeout);
  }
};

std::string target_word(const rules::SwitchStep& step) {
  switch (step.kind) {
    case rules::SwitchTargetKind::last_good:
      return "last-good";
    case rules::SwitchTargetKind::at_backup:
      return "at-backup";
    case rules::SwitchTargetKind::revision:
      return step.revision.text;
  }
  return "";
}

struct WriteStep {
  TomlWriter& out;

  void operator()(const rules::RunStep& step) const { out.strings("run", step.argv); }
  void operator()(const rules::HttpStep& step) const {
    if (step.url.secret)
      out.text("http", step.url);
    else
      out.string("http", step.method + " " + step.url.value);
    out.text_map("header", step.headers);
    out.body(step.body, step.content_type);
    out.expectation(step.expect);
  }
  void operator()(const rules::NotifyStep& step) const { out.string("notify", step.notifier.text); }
  void operator()(const rules::CaptureStep& step) const {
    out.string("capture", step.file);
    out.strings("run", step.argv);
  }
  void operator()(const rules::SwitchStep& step) const { out.string("switch", target_word(step)); }
  void operator()(const rules::WaitStep& step) const {
    out.string("wait", step.until.text());
    out.duration("for", step.hold);
  }
  void operator()(const rules::SleepStep& step) const { out.duration("sleep", step.length); }
  void operator()(const rules::AskStep& step) const { out.string("ask", step.question); }
};

void write_step(TomlWriter& out, const std::string& header, const rules::StepSpec& step) {
  out.section("[[" + header + "]]");
  std::visit(WriteStep{out}, step.what);
  out.string_unless_empty("dir", step.dir);
  out.string_unless_empty("user", step.user);
  out.text_map("env", step.env);
  out.string_unless_empty("stdin", step.stdin_file);
  out.string_unless_empty("stdout", step.stdout_file);
  out.duration("timeout", step.timeout);
  out.integer("retry", step.retry);
  out.boolean("idempotent", step.idempotent);
  switch (step.on_failure) {
    case rules::OnFailure::abort:
      out.string("on_failure", "abort");
      break;
    case rules::OnFailure::proceed:
      out.string("on_failure", "continue");
      break;
  }
}

void write_judgement(TomlWriter& out, const rules::ServiceSpec& service) {
  switch (service.arm) {
    case rules::Arm::deploy:
      out.string("arm", "deploy");
      break;
    case rules::Arm::always:
      out.string("arm", "always");
      break;
  }
  out.duration("bake", service.bake);
  out.duration("start_deadline", service.start_deadline);
  out.duration("cooldown", service.cooldown);
  out.duration("deploy_timeout", service.deploy_timeout);
  out.integer("fuse.switches_per_revision", service.fuse.switches_per_revision);
  out.integer("fuse.switches_per_day", service.fuse.switches_per_day);
  out.integer("fuse.mutations_per_hour", service.fuse.mutations_per_hour);
  out.duration("ask.timeout", service.ask_timeout);
  switch (service.ask_then) {
    case rules::AskThen::close:
      out.string("ask.then", "close");
      break;
    case rules::AskThen::act:
      out.string("ask.then", "act");
      break;
  }
  std::vector<std::string> depends_on;
  for (const rules::ServiceName& name : service.depends_on) depends_on.push_back(name.text);
  out.strings_unless_empty("depends_on", depends_on);
}

}  // namespace

void write_service(TomlWriter& out, const rules::ServiceSpec& service, const DriverSection& driver) {
  out.section("[service." + service.name.text + "]");
  out.string("dir", driver.dir);
  std::visit(WriteDriver{out}, driver.driver);
  out.strings_unless_empty("schema", driver.schema);
  out.duration("timeout", driver.timeout);
  out.duration("identify_interval", driver.identify_interval);
  write_judgement(out, service);
}

void write_action(TomlWriter& out, const rules::ActionSpec& action) {
  const std::string name = "action." + action.name.text;
  out.section("[" + name + "]");
  out.strings("undoes", action.undoes);
  if (action.verify.when) out.string("verify.when", action.verify.when->text());
  if (action.verify.hold) out.duration("verify.for", *action.verify.hold);
  if (action.verify.timeout) out.duration("verify.timeout", *action.verify.timeout);
  if (action.settle) out.duration("settle", *action.settle);
  for (const rules::StepSpec& step : action.steps) write_step(out, name + ".step", step);
  for (const rules::StepSpec& step : action.on_success) write_step(out, name + ".on_success", step);
  for (const rules::StepSpec& step : action.on_failure) write_step(out, name + ".on_failure", step);
  for (const rules::StepSpec& step : action.always) write_step(out, name + ".always", step);
}

}  // namespace watcher
