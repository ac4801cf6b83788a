#include "watcher/config/config.hpp"

namespace watcher {

namespace {

void add(std::vector<NamedCommand>& out, const std::string& owner, const std::vector<std::string>& argv,
         const Whom& whom) {
  if (!argv.empty()) out.push_back({owner, argv, whom});
}

struct DriverCommands {
  const std::string& owner;

  std::vector<NamedCommand> operator()(std::monostate) const { return {}; }
  std::vector<NamedCommand> operator()(const auto& driver) const { return driver.commands(owner); }
};

struct DriverWhom {
  Whom operator()(std::monostate) const { return {}; }
  Whom operator()(const auto& driver) const { return driver.whom(); }
};

void add_driver(std::vector<NamedCommand>& out, const DriverSection& section) {
  const std::string owner = "service." + section.service.text;
  add(out, owner + ".schema", section.schema, whom_of(section));
  for (const NamedCommand& command : std::visit(DriverCommands{owner}, section.driver))
    add(out, command.owner, command.argv, command.whom);
}

void add_steps(std::vector<NamedCommand>& out, const std::string& owner, const std::vector<rules::StepSpec>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string name = numbered(owner, i) + ".run";
    if (const auto* run = std::get_if<rules::RunStep>(&steps[i].what)) add(out, name, run->argv, {steps[i].user});
    if (const auto* capture = std::get_if<rules::CaptureStep>(&steps[i].what))
      add(out, name, capture->argv, {steps[i].user});
  }
}

}  // namespace

std::string numbered(const std::string& owner, std::size_t i) { return owner + "[" + std::to_string(i) + "]"; }

std::vector<NamedCommand> named_commands(const std::string& owner,
                                         const std::vector<std::vector<std::string>>& commands, const Whom& whom) {
  std::vector<NamedCommand> out;
  for (std::size_t i = 0; i < commands.size(); ++i)
    out.push_back({commands.size() == 1 ? owner : numbered(owner, i), commands[i], whom});
  return out;
}

Whom whom_of(const DriverSection& section) { return std::visit(DriverWhom(), section.driver); }

std::vector<NamedCommand> commands_of(const Config& config) {
  std::vector<NamedCommand> out;
  for (const probes::ProbeConfig& probe : config.probes) {
    if (const auto* exec = std::get_if<probes::ExecProbe>(&probe.what))
      add(out, "probe." + probe.name.text + ".run", exec->run, {exec->user});
  }
  for (const DriverSection& section : config.drivers) add_driver(out, section);
  for (const rules::ActionSpec& action : config.core.actions) {
    const std::string owner = "action." + action.name.text;
    add_steps(out, owner + ".step", action.steps);
    add_steps(out, owner + ".on_success", action.on_success);
    add_steps(out, owner + ".on_failure", action.on_failure);
    add_steps(out, owner + ".always", action.always);
  }
  return out;
}

}  // namespace watcher
