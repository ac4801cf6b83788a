#include "rules/incidents/records.hpp"
#include "watcher/cli/check_online.hpp"
#include "watcher/run/backup_users.hpp"

namespace watcher {

namespace {

void look_at(const rules::ActionSpec& action, rules::PlanSection section, const std::vector<rules::StepSpec>& steps,
             std::vector<OnlineFinding>& out) {
  for (const rules::StepSpec& step : steps) {
    if (!step.uses_backup) continue;
    out.push_back({OnlineFinding::Kind::advice, "action " + action.name.text,
                   std::string(to_string(section)) + ": " + describe(step) +
                       " uses ROLLBACKD_BACKUP, and fails where no backup is named; have the deployment say rollbackd "
                       "deploy mark REVISION --backup PATH, or say rollbackd " +
                       "rollback --backup PATH by hand"});
  }
}

}  // namespace

std::vector<OnlineFinding> needed_backups(const Config& config) {
  std::vector<OnlineFinding> out;
  rules::CoreConfig core = config.core;
  mark_backup_users(core, config);
  for (const rules::ActionSpec& action : core.actions) {
    look_at(action, rules::PlanSection::on_success, action.on_success, out);
    look_at(action, rules::PlanSection::on_failure, action.on_failure, out);
    look_at(action, rules::PlanSection::always, action.always, out);
  }
  return out;
}

}  // namespace watcher
