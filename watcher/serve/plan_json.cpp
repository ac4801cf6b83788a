#include "watcher/serve/plan_json.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <utility>

#include "watcher/report/text.hpp"
#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

constexpr std::size_t line_max = 200;  // bytes of a commit's line

std::string key_of(std::string_view kind, const std::string& text) {
  return kind == "switch" ? std::string(kind) : text;
}

struct Listing {
  const RollbackPlan& plan;
  json::array steps{};
  rules::Duration total{};
  bool all_known = true;

  void add(const char* section, const std::vector<rules::StepSpec>& specs) {
    const bool is_main = &specs == &plan.what.action.steps;
    for (const rules::StepSpec& spec : specs) {
      json::object step;
      const bool is_switch = std::holds_alternative<rules::SwitchStep>(spec.what);
      const std::string text = describe(spec);
      step["section"] = section;
      step["text"] = is_switch && !plan.what.to.empty() ? "switch " + plan.what.to.text : text;
      const auto known = plan.usual.find(key_of(kind_of(spec), text));
      const bool is_known = known != plan.usual.end();
      step["usual_seconds"] = to_json(is_known ? std::optional(rules::seconds(known->second)) : std::nullopt);
      if (is_main && is_known) total += known->second;
      if (is_main && !is_known) all_known = false;
      steps.push_back(std::move(step));
    }
  }
};

json::array texts(const std::vector<std::string>& lines) {
  json::array out;
  for (const std::string& line : lines) out.push_back(json::value(clean_line(line, line_max)));
  return out;
}

}  // namespace

std::map<std::string, rules::Duration> usual_lengths(const std::vector<rules::StepRecord>& past) {
  std::map<std::string, std::vector<rules::Duration>> all;
  for (const rules::StepRecord& step : past) {
    if (step.status != rules::StepStatus::succeeded || !step.ended) continue;
    all[key_of(step.kind, step.text)].push_back(*step.ended - step.started);
  }
  std::map<std::string, rules::Duration> out;
  for (auto& [what, lengths] : all) {
    const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
    std::nth_element(lengths.begin(), middle, lengths.end());
    out[what] = *middle;
  }
  return out;
}

std::string plan_json(const RollbackPlan& plan) {
  const rules::ActionSpec& action = plan.what.action;
  Listing listing{plan};
  listing.add("steps", action.steps);
  listing.add("on_success", action.on_success);
  listing.add("on_failure", action.on_failure);
  listing.add("always", action.always);
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
  object["steps"] = std::move(listing.steps);
  object["usual_seconds"] = to_json(listing.all_known ? std::optional(rules::seconds(listing.total)) : std::nullopt);
  return to_text(object);
}

}  // namespace watcher
