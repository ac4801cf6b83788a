#include "watcher/config/permissions.hpp"

#include <unistd.h>

#include <map>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "watcher/drivers/environment_says.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

// `rollback` is the short word for `switch`.
std::string long_word(const std::string& owner) {
  constexpr std::string_view short_word = ".rollback";
  if (!owner.starts_with("service.") || !owner.ends_with(short_word)) return owner;
  return owner.substr(0, owner.size() - short_word.size()) + ".switch";
}

// NAME=VALUE of what commands have besides our own environment, by their owner.
using Environments = std::map<std::string, std::vector<std::string>>;

void add(Environments& out, const std::string& owner, const std::vector<rules::StepSpec>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) out[numbered(owner, i) + ".run"] = assignments_of(steps[i].env);
}

Environments environments_of(const Config& config) {
  Environments out;
  for (const probes::ProbeConfig& probe : config.probes) {
    if (const auto* exec = std::get_if<probes::ExecProbe>(&probe.what))
      out["probe." + probe.name.text + ".run"] = assignments_of(exec->env);
  }
  for (const rules::ActionSpec& action : config.core.actions) {
    const std::string owner = "action." + action.name.text;
    add(out, owner + ".step", action.steps);
    add(out, owner + ".on_success", action.on_success);
    add(out, owner + ".on_failure", action.on_failure);
    add(out, owner + ".always", action.always);
  }
  return out;
}

}  // namespace

void check_permissions(Loading& loading, const std::string& config_path) {
  if (const auto unsafe = changed_by_others(config_path, "")) {
    loading.findings.error({}, "other users could change this configuration: " + *unsafe);
  }
  std::map<std::string, std::string> users;
  for (const NamedCommand& command : commands_of(loading.config)) {
    users[command.owner] = runs_as(command.whom.dir, command.whom.user).user;
  }
  Environments environments = environments_of(loading.config);
  // What the runner runs it looks at itself; of it, whoever has no rights may see little.
  const bool is_runners = !loading.config.watcher.runner.empty() && ::geteuid() != 0;
  for (const PlacedCommand& command : loading.commands) {
    if (is_runners && !command.owner.starts_with("probe.")) continue;
    const std::string owner = long_word(command.owner);
    const auto unsafe = run_changed_by_others(command.argv, command.dir, users[owner], environments[owner]);
    if (unsafe) {
      loading.findings.error(command.place, command.owner + ": other users could change this command: " + *unsafe);
    }
  }
}

}  // namespace watcher
