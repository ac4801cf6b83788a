#include "watcher/config/step_section.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "probes/ask/page_keys.hpp"
#include "probes/key_rows.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/step_kinds.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;
using probes::Variety;
using rules::StepSpec;

constexpr rules::Duration http_timeout = std::chrono::seconds(10);
constexpr rules::Duration capture_timeout = std::chrono::seconds(10);
constexpr rules::Duration notify_timeout = std::chrono::seconds(10);
constexpr rules::Duration run_timeout = std::chrono::minutes(5);
constexpr rules::Duration wait_timeout = std::chrono::minutes(5);
constexpr std::int64_t retries_most = 100;

constexpr probes::Word on_failures[]{
    {"abort", static_cast<int>(rules::OnFailure::abort), "the plan, or its section, ends here"},
    {"continue", static_cast<int>(rules::OnFailure::proceed), "the next step is done all the same"},
};

// The limit stands first: where it is left to the service it is not written.
constexpr std::array keys{
    key<Kind::duration, &StepSpec::timeout>("timeout", "How long it may take.")
        .at_least(std::chrono::milliseconds(1))
        .when_left_out(
            "http, capture, notify 10s; run, wait 5m; switch and ask as long as the service's timeout and ask.timeout"),
    key<Kind::integer, &StepSpec::retry>("retry", "Further attempts after a failure.").between(0, retries_most),
    key<Kind::flag, &StepSpec::idempotent>("idempotent", "Whether it may be run again when a crash interrupted it."),
    probes::choice<on_failures, &StepSpec::on_failure>("on_failure", "What its failure means.")
        .when_left_out("\"abort\" for switch, wait, what runs after the switch and a command that names "
                       "ROLLBACKD_BACKUP, else \"continue\""),
};

struct Defaults {
  rules::Duration timeout{};
  bool proceeds = false;
};

bool names_backup(const rules::RunStep& run) {
  return std::any_of(run.argv.begin(), run.argv.end(),
                     [](const std::string& word) { return word.find("ROLLBACKD_BACKUP") != std::string::npos; });
}

struct DefaultsOf {
  bool afterwards;
  bool early;

  Defaults operator()(const rules::NotifyStep&) const { return {notify_timeout, true}; }
  Defaults operator()(const rules::CaptureStep&) const { return {capture_timeout, true}; }
  Defaults operator()(const rules::HttpStep&) const { return {http_timeout, true}; }
  // What could not restore the backup must not be followed by code that goes with it.
  Defaults operator()(const rules::RunStep& run) const {
    return {run_timeout, afterwards || (early && !names_backup(run))};
  }
  Defaults operator()(const rules::SwitchStep&) const { return {{}, false}; }  // the service says it
  Defaults operator()(const rules::WaitStep&) const { return {wait_timeout, false}; }
  Defaults operator()(const rules::SleepStep& sleep) const { return {sleep.length, afterwards || early}; }
  Defaults operator()(const rules::AskStep&) const { return {{}, afterwards}; }  // the service says it
};

const Variety* kind_of(const toml::table& table) {
  for (const Variety& kind : step_kinds()) {
    if (table.contains(kind.word)) return &kind;
  }
  return nullptr;
}

bool has_key(std::span<const Key> keys_of_kind, std::string_view name) {
  return std::any_of(keys_of_kind.begin(), keys_of_kind.end(), [&](const Key& each) {
    return each.name == name || (each.kind == Kind::group && has_key(each.keys, name));
  });
}

// One step does one thing; `run` belongs to a capture.
void check_single(TableReader& reader, const Variety& kind) {
  for (const Variety& other : step_kinds()) {
    if (!reader.has(other.word) || has_key(kind.keys, other.word)) continue;
    if (other.later())
      reader.refuse_later(other.word);
    else
      reader.error(other.word, "a step does one thing; write another step for it");
  }
}

void refuse_unclear(TableReader& reader) {
  std::vector<std::string> words;
  for (const Variety& kind : step_kinds()) {
    if (!kind.later()) words.emplace_back(kind.word);
  }
  std::string hint;
  for (const auto& [given, value] : reader.table()) {
    if (hint.empty()) hint = did_you_mean(given.str(), words);
  }
  reader.error("does nothing; give it one of run, http, notify, capture, switch, wait, sleep, ask" + hint);
}

// A step whose time limit ends it before it is done.
void refuse_short_timeout(TableReader& reader, const StepSpec& step) {
  const auto* const wait = std::get_if<rules::WaitStep>(&step.what);
  if (wait != nullptr && wait->hold > step.timeout)
    reader.error(reader.has("timeout") ? "timeout" : "for",
                 "the step ends after " + rules::to_string(step.timeout) + ", before it could have held for " +
                     rules::to_string(wait->hold) + "; give it a longer timeout");
  const auto* const sleep = std::get_if<rules::SleepStep>(&step.what);
  if (sleep != nullptr && sleep->length > step.timeout)
    reader.error("timeout", "the step ends after " + rules::to_string(step.timeout) + ", before it has slept " +
                                rules::to_string(sleep->length) + "; leave timeout out");
}

void settle_defaults(TableReader& reader, StepPosition position, StepSpec& out) {
  const bool afterwards = position == StepPosition::afterwards;
  const Defaults defaults = std::visit(DefaultsOf{afterwards, position == StepPosition::before_switch}, out.what);
  if (!reader.has("timeout")) out.timeout = defaults.timeout;
  if (!reader.has("on_failure"))
    out.on_failure = defaults.proceeds ? rules::OnFailure::proceed : rules::OnFailure::abort;
  if (auto* http = std::get_if<rules::HttpStep>(&out.what)) probes::settle_body(http->body, http->content_type);
  refuse_short_timeout(reader, out);
  if (out.retry > 0 && std::holds_alternative<rules::SwitchStep>(out.what))
    reader.error("retry",
                 "a switch is never repeated by itself: what runs after it is looked at instead; leave retry out");
}

}  // namespace

std::span<const Key> step_keys() { return keys; }

bool is_switch(const toml::table& step) {
  const Variety* const kind = kind_of(step);
  return kind != nullptr && kind->word == "switch";
}

namespace {

std::set<std::string> services_dirs(const Config& config) {
  std::set<std::string> dirs;
  for (const DriverSection& section : config.drivers) dirs.insert(section.dir);
  return dirs;
}

// Where relative commands of steps start that say no folder: at the services', when that is one; else, since an action
// may be any service's, at the configuration's.
std::string services_dir(const Config& config) {
  const std::set<std::string> dirs = services_dirs(config);
  return dirs.size() == 1 ? *dirs.begin() : std::string();
}

// Who thinks of one service's folder would hear that it is not there when it is needed.
void warn_of_unclear_dir(Loading& loading, const TableReader& reader, const toml::table& table,
                         const std::string& owner) {
  const std::optional<std::string> program = table["run"][0].value<std::string>();
  const bool is_relative = program && program->find('/') != std::string::npos && program->front() != '/';
  if (!is_relative || table.contains("dir") || services_dirs(loading.config).size() < 2) return;
  std::error_code ignored;
  if (std::filesystem::exists(loading.absolute(*program), ignored)) return;
  loading.findings.warning(reader.place("run"),
                           owner + ".run: " + *program + " is not in " + loading.dir +
                               ", where it starts because the services have different folders; write its whole path, "
                               "or the dir in which it runs");
}

}  // namespace

std::optional<StepSpec> read_step(Loading& loading, const toml::table& table, const std::string& owner,
                                  StepPosition position) {
  TableReader reader(loading, table, owner);
  reader.set_commands_dir(services_dir(loading.config));
  const Variety* const kind = kind_of(table);
  if (kind == nullptr) {
    refuse_unclear(reader);
    return std::nullopt;
  }
  if (kind->later()) {
    reader.refuse_later(kind->word);
    return std::nullopt;
  }
  StepSpec out;
  kind->become(&out);
  check_single(reader, *kind);
  reader.read(kind->keys, &out);
  reader.read(keys, &out);
  if (kind->settle != nullptr) kind->settle(&out, reader);
  settle_defaults(reader, position, out);
  warn_of_unclear_dir(loading, reader, table, owner);
  reader.finish();
  return out;
}

void write_step(TomlWriter& out, const std::string& header, const StepSpec& step) {
  out.section("[[" + header + "]]");
  const Variety& kind = *held_by(&step, step_kinds());
  write_values(out, kind.keys, &step);
  const bool is_limited = step.timeout > rules::Duration::zero();
  write_values(out, is_limited ? std::span<const Key>(keys) : std::span<const Key>(keys).subspan(1), &step);
}

}  // namespace watcher
