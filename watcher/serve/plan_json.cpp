#include "watcher/serve/plan_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "watcher/report/text.hpp"
#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

constexpr std::size_t line_max = 200;           // bytes of a commit's line
constexpr std::size_t request_line_max = 2000;  // bytes; a body is one line

json::value to_json_seconds(std::optional<rules::Duration> length) {
  return to_json(length ? std::optional(rules::seconds(*length)) : std::nullopt);
}

// Of what a step that uses it needs; empty: nothing. A path may be meant for another host or a container.
std::string what_lacks(const std::string& backup) {
  if (backup.empty()) return "it uses ROLLBACKD_BACKUP, and no backup is known: it will not be begun";
  std::error_code failure;
  const bool is_gone = backup.front() == '/' && !std::filesystem::exists(backup, failure) && !failure;
  return is_gone ? "it uses ROLLBACKD_BACKUP, and this host has no " + backup : "";
}

void list(json::array& steps, const char* section, const std::vector<rules::StepSpec>& specs,
          const rules::PlanByHand& plan) {
  for (const rules::StepSpec& spec : specs) {
    json::object step;
    const bool is_switch = std::holds_alternative<rules::SwitchStep>(spec.what);
    step["section"] = section;
    step["text"] = is_switch && !plan.to.empty() ? "switch " + plan.to.text : describe(spec);
    step["lacks"] = text_or_null(spec.uses_backup ? what_lacks(plan.backup) : "");
    step["usual_seconds"] = to_json_seconds(plan.usual.of(spec));
    steps.push_back(std::move(step));
  }
}

json::array texts(const std::vector<std::string>& lines, std::size_t longest = line_max) {
  json::array out;
  for (const std::string& line : lines) out.push_back(json::value(clean_line(line, longest)));
  return out;
}

}  // namespace

std::string plan_json(const RollbackPlan& plan) {
  const rules::ActionSpec& action = plan.what.action;
  json::array steps;
  list(steps, "steps", action.steps, plan.what);
  list(steps, "on_success", action.on_success, plan.what);
  list(steps, "on_failure", action.on_failure, plan.what);
  list(steps, "always", action.always, plan.what);
  json::object object;
  object["action"] = action.name.text;
  object["from"] = text_or_null(plan.what.from.text);
  object["to"] = text_or_null(plan.what.to.text);
  object["schema_from"] = text_or_null(plan.what.schema_from);
  object["schema_to"] = text_or_null(plan.what.schema_to);
  object["backup"] = text_or_null(plan.what.backup);
  object["undoes"] = texts(action.undoes);
  object["loses"] = texts(action.loses());
  object["commits"] = texts(plan.taken_back);
  object["asks_for"] = texts(plan.asks_for, request_line_max);
  json::array drivers;
  for (const rules::DriverReadiness& one : plan.drivers)
    drivers.push_back(json::object{{"driver", one.driver}, {"not_ready", text_or_null(one.why_not)}});
  object["drivers"] = std::move(drivers);
  object["not_ready"] = text_or_null(plan.not_ready);
  object["steps"] = std::move(steps);
  object["usual_seconds"] = to_json_seconds(plan.what.usual.of(action));
  return to_text(object);
}

}  // namespace watcher
