#include <algorithm>

#include "watcher/config/sections.hpp"
#include "watcher/config/step_section.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

rules::VerifySpec read_verify(TableReader& reader) {
  rules::VerifySpec out;
  const toml::table* const table = reader.subtable("verify");
  if (table == nullptr) return out;
  TableReader verify(reader.loading(), *table, reader.owner("verify"));
  rules::Condition when = verify.condition("when");
  if (!when.empty()) out.when = std::move(when);
  out.hold = verify.duration("for");
  out.timeout = verify.duration("timeout", std::chrono::seconds(1));
  if (out.hold && out.timeout && *out.hold > *out.timeout) {
    verify.error("timeout", "is shorter than for: it could never be verified");
  }
  verify.finish();
  return out;
}

std::vector<rules::StepSpec> read_steps(TableReader& reader) {
  const std::vector<const toml::table*> tables = reader.subtables("step");
  const auto is_switching = [](const toml::table* table) { return is_switch(*table); };
  const auto first_switch = std::find_if(tables.begin(), tables.end(), is_switching);
  std::vector<rules::StepSpec> out;
  for (auto table = tables.begin(); table != tables.end(); ++table) {
    StepPosition position = table < first_switch ? StepPosition::before_switch : StepPosition::from_switch_on;
    if (first_switch == tables.end()) position = StepPosition::no_switch;
    const std::string owner = reader.owner("step") + "[" + std::to_string(table - tables.begin()) + "]";
    if (auto step = read_step(reader.loading(), **table, owner, position)) out.push_back(*std::move(step));
  }
  if (std::count_if(tables.begin(), tables.end(), is_switching) > 1) {
    reader.error("step", "switches twice; one action switches once at most");
  }
  return out;
}

std::vector<rules::StepSpec> read_ending(TableReader& reader, std::string_view key) {
  std::vector<rules::StepSpec> out;
  std::size_t n = 0;
  for (const toml::table* table : reader.subtables(key)) {
    const std::string owner = reader.owner(key) + "[" + std::to_string(n++) + "]";
    if (is_switch(*table)) {
      reader.loading().findings.error(place_of(*table),
                                      owner + ": a switch belongs into the steps, where it is verified");
    }
    if (auto step = read_step(reader.loading(), *table, owner, StepPosition::afterwards))
      out.push_back(*std::move(step));
  }
  return out;
}

void read_action(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "action." + entry.name);
  loading.action_names.insert(entry.name);
  rules::ActionSpec out;
  out.name = rules::ActionName(entry.name);
  if (auto undoes = reader.strings("undoes")) {
    const std::vector<std::string> known{"code", "schema", "data"};
    for (const std::string& kind : *undoes) {
      if (std::find(known.begin(), known.end(), kind) != known.end()) continue;
      reader.error("undoes", "unknown \"" + kind + "\"" + did_you_mean(kind, known) + " (code, schema, data)");
    }
    out.undoes = *std::move(undoes);
  }
  out.verify = read_verify(reader);
  out.settle = reader.duration("settle");
  if (!reader.has("step")) reader.missing("step", "write at least one [[action." + entry.name + ".step]]");
  out.steps = read_steps(reader);
  out.on_success = read_ending(reader, "on_success");
  out.on_failure = read_ending(reader, "on_failure");
  out.always = read_ending(reader, "always");
  reader.finish();
  loading.config.core.actions.push_back(std::move(out));
}

}  // namespace

void read_actions(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "action", is_plan_name, "[a-z_][a-z0-9_-]*")) {
    read_action(loading, entry);
  }
}

}  // namespace watcher
