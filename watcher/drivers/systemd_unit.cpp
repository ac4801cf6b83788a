#include "watcher/drivers/systemd_unit.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>

#include "rules/base/shell_words.hpp"
#include "watcher/drivers/environment_secrets.hpp"

namespace watcher {

namespace {

std::int64_t number_in(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : 0;
}

rules::Duration moment_in(std::string_view text) {
  constexpr std::int64_t longest = 1'000'000'000'000'000;  // microseconds; 31 years
  return std::chrono::microseconds(std::clamp<std::int64_t>(number_in(text), 0, longest));
}

void take_environment(std::string_view said, std::vector<std::string>& secrets) {
  for (const std::string& word : rules::shell_words(said)) take_secrets(word, secrets);
}

struct Unfinished {
  SystemdUnit unit;
  rules::Duration left_inactive{};  // of what has no main process
  std::string changed;
  std::string invocation;
  bool may_start = false;  // as its conditions (ConditionPathExists=, ...) were looked at last
};

void take(Unfinished& into, std::string_view name, std::string_view value) {
  SystemdUnit& unit = into.unit;
  const std::string text(value);
  if (name == "Id") unit.name = text;
  if (name == "Type") unit.is_oneshot = text == "oneshot";
  if (name == "Job") unit.has_job = number_in(value) != 0;
  if (name == "LoadState") unit.load = text;
  if (name == "LoadError") unit.load_error = text;
  if (name == "ActiveState") unit.active = text;
  if (name == "SubState") unit.sub = text;
  if (name == "Result") unit.result = text;
  if (name == "ExecMainStatus") unit.exit_status = static_cast<int>(number_in(value));
  if (name == "NRestarts") unit.restarts = number_in(value);
  if (name == "MainPID") unit.main_pid = static_cast<pid_t>(number_in(value));
  if (name == "ControlGroup") unit.control_group = text;
  if (name == "ExecStart") unit.commands += text + "\n";
  if (name == "WorkingDirectory") unit.working_directory = text;
  if (name == "ExecMainStartTimestampMonotonic") unit.started = moment_in(value);
  if (name == "ExecMainExitTimestampMonotonic") unit.ended = moment_in(value);
  if (name == "ActiveExitTimestampMonotonic") unit.left_active = moment_in(value);
  if (name == "InactiveExitTimestampMonotonic") into.left_inactive = moment_in(value);
  if (name == "StateChangeTimestampMonotonic") into.changed = text;
  if (name == "InvocationID") into.invocation = text;
  if (name == "ConditionResult") into.may_start = text == "yes";
  if (name == "ConditionTimestampMonotonic") unit.looked_at = moment_in(value);
  if (name == "ExecCondition") unit.exec_conditions += text + "\n";
  if (name == "Environment") take_environment(value, unit.secrets);
  if (name == "NotifyAccess") unit.tells_itself = text != "none";
  const bool binds = name == "BindsTo" || name == "Requisite" || name == "StopPropagatedFrom";
  if (binds && !text.empty()) unit.is_bound = true;
}

void add(std::vector<SystemdUnit>& out, Unfinished& finished) {
  SystemdUnit& unit = finished.unit;
  if (unit.started == rules::Duration::zero()) unit.started = finished.left_inactive;
  const bool by_command = unit.result == "exec-condition" && unit.active == "inactive";
  unit.was_passed_over = by_command || (!finished.may_start && unit.looked_at > unit.left_active);
  unit.state = finished.invocation + "@" + finished.changed;
  if (!unit.name.empty()) out.push_back(std::move(unit));
  finished = Unfinished();
}

}  // namespace

std::vector<SystemdUnit> parse_units(std::string_view text) {
  std::vector<SystemdUnit> out;
  Unfinished current;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (line.empty()) add(out, current);
    if (equals != std::string_view::npos) take(current, line.substr(0, equals), line.substr(equals + 1));
  }
  add(out, current);
  return out;
}

bool is_stopped(const SystemdUnit& unit) {
  constexpr int ended_by_term = 128 + SIGTERM;
  const bool was_active = unit.started > rules::Duration::zero() && unit.started <= unit.left_active;
  const bool runs = unit.ended <= unit.started;
  if (!was_active || unit.is_bound || unit.was_passed_over || (!runs && unit.ended <= unit.left_active)) return false;
  const bool by_term = unit.exit_status == SIGTERM || unit.exit_status == ended_by_term;
  if (unit.tells_itself && (runs || !by_term)) return false;
  if (unit.active == "deactivating") return unit.result == "success";
  if (runs) return false;
  if (unit.active == "inactive") return unit.result == "success";
  return unit.active == "failed" && unit.result == "exit-code" && unit.exit_status == ended_by_term;
}

// "Condition: start condition failed at Mon 2026-11-30 20:00:00 UTC; 5s ago", and below, a line each, with what draws
// the tree in front: "ConditionPathExists=!/run/maintenance was not met".
std::string unmet_in(std::string_view status) {
  constexpr std::string_view end = " was not met";
  std::string out;
  while (!status.empty()) {
    std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(line.size() + 1, status.size()));
    const std::size_t begin = std::min(line.find("Condition"), line.find("Assert"));
    if (begin == line.npos || !line.ends_with(end)) continue;
    line.remove_prefix(begin);
    line.remove_suffix(end.size());
    out += (out.empty() ? "" : " and ") + std::string(line);
  }
  return out;
}

std::string asserts_in(std::string_view files) {
  std::string out;
  while (!files.empty()) {
    const std::string_view line = files.substr(0, files.find('\n'));
    files.remove_prefix(std::min(line.size() + 1, files.size()));
    const bool is_one = line.starts_with("Assert") && line.find('=') + 1 < line.size();
    if (is_one) out += (out.empty() ? "" : " and ") + std::string(line);
  }
  return out;
}

std::string why_no_start(const SystemdUnit& unit) {
  if (unit.load == "loaded") return {};
  if (unit.load == "masked") return unit.name + " is masked; do systemctl unmask " + unit.name;
  if (unit.load == "not-found")
    return "systemd knows no unit " + unit.name + "; do correct `unit`, or put its file into /etc/systemd/system";
  const std::string why = unit.load_error.empty() ? "" : " (" + unit.load_error + ")";
  return "systemd says of " + unit.name + ": " + unit.load + why + "; do systemd-analyze verify " + unit.name;
}

std::string ending_of(const SystemdUnit& unit) {
  if (unit.was_passed_over && unit.active == "inactive")
    return unit.name + " was not started, for its conditions are not met; systemctl status " + unit.name +
           " names them";
  const std::string status = unit.exit_status == 0 ? "" : ", " + std::to_string(unit.exit_status);
  std::string out = unit.name + (unit.active == "inactive" ? " has ended" : " has failed");
  out += unit.result == "oom-kill" ? " for want of memory" : " (" + unit.result + status + ")";
  if (unit.restarts > 0) out += " and was restarted " + std::to_string(unit.restarts) + " times";
  return out + "; its last words: journalctl -u " + unit.name;
}

}  // namespace watcher
