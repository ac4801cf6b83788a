#include <algorithm>
#include <array>

#include "probes/key_rows.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/later_section.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/step_section.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;
using rules::ActionSpec;
using rules::VerifySpec;

constexpr probes::Word undone[]{
    {"code", 0, "a deployment that only changed code"},
    {"schema", 1, "one that changed the schema of the data"},
    {"data", 2, "one that changed data"},
};

constexpr std::array verify_keys{
    key<Kind::condition, &VerifySpec::when>("when", "What must be so besides that the rules are good.")
        .when_left_out("nothing"),
    key<Kind::duration, &VerifySpec::hold>("for", "How long it must hold.").when_left_out("the rule's for, at most 5m"),
    key<Kind::duration, &VerifySpec::timeout>("timeout", "After that it has failed.")
        .at_least(std::chrono::seconds(1))
        .when_left_out("start_deadline + window_max + twice for"),
};

void settle_verify(void* object, probes::Given& given) {
  const auto& verify = *static_cast<const VerifySpec*>(object);
  if (verify.hold && verify.timeout && *verify.hold > *verify.timeout)
    given.error("timeout", "is shorter than for: it could never be verified");
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

template <std::vector<rules::StepSpec> ActionSpec::*Section>
void read_section(TableReader& reader, const Key& key, void* object) {
  static_cast<ActionSpec*>(object)->*Section = read_ending(reader, key.name);
}

void read_main(TableReader& reader, const Key&, void* object) {
  static_cast<ActionSpec*>(object)->steps = read_steps(reader);
}

constexpr std::string_view tables = "tables";
constexpr probes::Own main_steps{tables, "", read_main};
constexpr probes::Own success_steps{tables, "", read_section<&ActionSpec::on_success>};
constexpr probes::Own failure_steps{tables, "", read_section<&ActionSpec::on_failure>};
void read_later(TableReader& reader, const Key& key, void* object) {
  static_cast<ActionSpec*>(object)->later = read_later_checks(reader, key.name);
}

constexpr probes::Own later_checks{tables, "", read_later};
constexpr probes::Own always_steps{tables, "", read_section<&ActionSpec::always>};

constexpr std::array keys{
    probes::choices<undone, &ActionSpec::undoes>("undoes", "The kinds of deployment that it may undo by itself.")
        .also_empty(),
    probes::table<&ActionSpec::verify>("verify", verify_keys, "What says that it worked.").settled(settle_verify),
    key<Kind::duration, &ActionSpec::settle>("settle", "How long it has to help before the next rung is tried.")
        .when_left_out("the rule's for, at most 5m, at least two polls"),
    own_key("step", main_steps, "What it does, in order.").required("write at least one [[action.NAME.step]]"),
    own_key("on_success", success_steps, "Steps after it was verified."),
    own_key("on_failure", failure_steps, "Steps after it failed; they must bear repetition."),
    own_key("always", always_steps, "Steps at its end, however it ended; they must bear repetition."),
    own_key("later", later_checks, "What is looked at, and told, some time after it recovered; it decides nothing."),
};

bool names_target(const ActionSpec& action) {
  const auto has_target = [](const std::vector<std::string>& argv) {
    return std::any_of(argv.begin(), argv.end(), [](const auto& word) { return word.find("{to}") != word.npos; });
  };
  for (const auto* section : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
    for (const rules::StepSpec& step : *section) {
      const auto* run = std::get_if<rules::RunStep>(&step.what);
      const auto* capture = std::get_if<rules::CaptureStep>(&step.what);
      if (run != nullptr && has_target(run->argv)) return true;
      if (capture != nullptr && has_target(capture->argv)) return true;
    }
  }
  return false;
}

void read_action(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "action." + entry.name);
  loading.action_names.insert(entry.name);
  ActionSpec out;
  out.name = rules::ActionName(entry.name);
  reader.read_whole(keys, &out);
  if (out.switch_step() == nullptr && names_target(out)) {
    reader.error(
        "step",
        "has {to} in a command, and no switch that says what it is; write the step switch = \"last-good\", and the "
        "command with its {to} as rollback = [...] of the service");
  }
  loading.config.core.actions.push_back(std::move(out));
}

}  // namespace

std::span<const Key> action_keys() { return keys; }

void read_actions(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "action", is_plan_name, "[a-z_][a-z0-9_-]*")) {
    read_action(loading, entry);
  }
}

void write_action(TomlWriter& out, const ActionSpec& action) {
  const std::string name = "action." + action.name.text;
  out.section("[" + name + "]");
  write_values(out, keys, &action);
  for (const rules::StepSpec& step : action.steps) write_step(out, name + ".step", step);
  for (const rules::StepSpec& step : action.on_success) write_step(out, name + ".on_success", step);
  for (const rules::StepSpec& step : action.on_failure) write_step(out, name + ".on_failure", step);
  for (const rules::StepSpec& step : action.always) write_step(out, name + ".always", step);
  for (const rules::LaterSpec& later : action.later) write_later(out, name + ".later", later);
}

}  // namespace watcher
