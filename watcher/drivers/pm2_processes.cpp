#include "watcher/drivers/pm2_processes.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "watcher/drivers/environment_secrets.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::int64_t restarts_max = 3;  // after which a process that pm2 restarts again and again will not come up

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* const found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::int64_t number_at(const json::object& object, std::string_view key) {
  const json::value* const found = object.if_contains(key);
  json::error_code error;
  return found != nullptr && found->is_number() ? found->to_number<std::int64_t>(error) : 0;
}

void take_environment(const json::object& from, std::vector<std::string>& out) {
  for (const auto& one : from) {
    if (one.value().is_object() && one.key() == "env") take_environment(one.value().get_object(), out);
    if (one.value().is_string()) take_secrets(std::string(one.key()), std::string(one.value().get_string()), out);
  }
}

bool restarts_itself(const json::object& told) {
  const json::value* const codes = told.if_contains("stop_exit_codes");
  const bool has_codes = codes != nullptr && !codes->is_null() && !(codes->is_array() && codes->get_array().empty());
  const json::value* const restart = told.if_contains("autorestart");
  const bool is_off = restart != nullptr && ((restart->is_bool() && !restart->get_bool()) ||
                                             (restart->is_string() && restart->get_string() == "false"));
  return !has_codes && !is_off;
}

void take(const json::object& told, const std::vector<std::string>& names, Pm2Listing& out) {
  const std::string name = text_at(told, "name");
  const json::value* const env = told.if_contains("pm2_env");
  if (std::find(names.begin(), names.end(), name) == names.end() || env == nullptr || !env->is_object()) return;
  constexpr std::int64_t latest = 8'000'000'000'000;  // milliseconds; the year 2223
  const json::object& more = env->get_object();
  Pm2Process process;
  process.name = name;
  process.id = number_at(told, "pm_id");
  process.pid = static_cast<pid_t>(number_at(told, "pid"));
  process.status = text_at(more, "status");
  process.started =
      rules::Instant(std::chrono::milliseconds(std::clamp<std::int64_t>(number_at(more, "pm_uptime"), 0, latest)));
  process.restarts = number_at(more, "restart_time");
  process.exit_code = number_at(more, "exit_code");
  process.restarts_itself = restarts_itself(more);
  const json::value* const created = more.if_contains("created_at");
  process.has_given_up = created != nullptr && created->is_null();
  out.processes.push_back(std::move(process));
  take_environment(more, out.secrets);
}

}  // namespace

std::string Pm2Process::state() const {
  return std::to_string(pid) + "@" + std::to_string(started.time_since_epoch().count());
}

std::string Pm2Listing::why_not() const {
  return missing.empty() ? "" : missing + "; do pm2 start it under that name, or correct `process`";
}

std::string Pm2Listing::why_deleted() const {
  return missing + " any more, it was deleted; do pm2 start it under that name";
}

bool is_stopped(const Pm2Process& process) {
  constexpr std::int64_t by_interrupt = 128 + 2;
  constexpr std::int64_t by_term = 128 + 15;
  if (!process.restarts_itself || process.has_given_up) return false;
  const std::int64_t code = process.exit_code;
  return process.status == "stopped" && (code == 0 || code == by_interrupt || code == by_term);
}

bool is_stopped_anew(const Pm2Process& process) {
  return process.status == "stopped" && process.restarts_itself && !process.has_given_up;
}

// Before the list pm2 may have said what it thinks of itself, a line each.
std::optional<Pm2Listing> parse_pm2(std::string_view text, const std::vector<std::string>& names) {
  while (!text.empty() && !text.starts_with("[{") && !text.starts_with("[]")) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  json::error_code error;
  const json::value root = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !root.is_array()) return std::nullopt;
  Pm2Listing out;
  for (const json::value& one : root.get_array()) {
    if (one.is_object()) take(one.get_object(), names, out);
  }
  return out;
}

bool is_after(const HeadMoved& moved, rules::Instant started) {
  // The kernel's times of files are so coarse.
  constexpr rules::Duration coarse = std::chrono::milliseconds(10);
  return started >= moved.noted + coarse || started >= moved.told + std::chrono::seconds(1);
}

Pm2Runs runs_of(const std::vector<Pm2Process>& processes, const GitLook& look, const HeadMoved& moved,
                Pm2Memory& memory) {
  Pm2Runs out;
  // A switch of ours is written down before each of its deeds: only once its restart was begun the times tell.
  const bool is_noted = look.place && !look.revision.empty();
  for (const Pm2Process& process : processes) {
    const auto known = memory.find(process.id);
    const bool is_known = known != memory.end() && known->second.state == process.state();
    std::string revision;
    if (is_noted)
      revision = look.revision;
    else if (is_after(moved, process.started))
      revision = look.head;
    else if (is_known)
      revision = known->second.revision;
    if (revision.empty()) {
      out.error = process.name + " was started before " + look.head + " was checked out, and nobody saw what it was " +
                  "started from; do pm2 restart " + process.name;
    } else if (!out.revision.empty() && out.revision != revision) {
      out.differ = true;
      out.error = "processes of " + process.name + " run " + out.revision + " and " + revision + "; do pm2 restart " +
                  process.name;
    }
    if (!out.error.empty()) break;
    memory[process.id] = {process.state(), revision};
    out.revision = revision;
  }
  if (!out.error.empty()) out.revision.clear();
  return out;
}

std::int64_t restarts_of(const std::vector<Pm2Process>& processes) {
  std::int64_t out = 0;
  for (const Pm2Process& process : processes) out += process.restarts;
  return out;
}

Pm2Progress progress_of(const std::vector<Pm2Process>& processes, const HeadMoved& moved,
                        std::int64_t restarts_before) {
  Pm2Progress out;
  for (const Pm2Process& process : processes) {
    out.seen += std::to_string(process.id) + ":" + process.state() + "\n";
    const bool has_ended = process.status == "errored" || process.status == "stopped";
    if (is_stopped_anew(process) && is_after(moved, process.started)) {
      if (out.stopped.empty())
        out.stopped = process.name + " was stopped, it did not end by itself; do pm2 start " + process.name;
    } else if (has_ended && out.failed.empty()) {
      out.failed = process.name + " is " + process.status;
    }
    if (!out.awaited.empty()) continue;
    if (!process.is_online())
      out.awaited = process.name + " is still " + process.status;
    else if (!is_after(moved, process.started))
      out.awaited = process.name + " was not started anew";
  }
  const std::int64_t again = restarts_of(processes) - restarts_before;
  if (again >= restarts_max && out.failed.empty())
    out.failed = processes.front().name + " was restarted " + std::to_string(again) + " times";
  if (!out.failed.empty()) out.stopped.clear();
  if (!out.failed.empty()) out.failed += "; its last words: pm2 logs " + processes.front().name + " --nostream";
  if (processes.empty()) out.awaited = "pm2 has no such process";
  return out;
}

}  // namespace watcher
