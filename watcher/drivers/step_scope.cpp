#include "watcher/drivers/step_scope.hpp"

#include <unistd.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <utility>

#include "probes/parse/number.hpp"
#include "watcher/drivers/ourselves.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/report/visible.hpp"
#include "watcher/run/log.hpp"

namespace watcher {

namespace {

namespace asio = boost::asio;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr rules::Duration answer_limit = std::chrono::seconds(1);  // of systemd: a rollback waits for it
constexpr rules::Duration look_interval = std::chrono::milliseconds(5);
constexpr std::size_t description_max = 200;  // bytes

std::string scope_name(pid_t process) { return "rollbackd-step-" + std::to_string(process) + ".scope"; }

// In a container with the host's bus, numbers of our processes would be those of others.
bool is_run_by_systemd() {
  std::error_code failure;
  return ::geteuid() == 0 && std::filesystem::is_directory("/run/systemd/system", failure) &&
         probes::trimmed(read_small("/proc/1/comm")) == "systemd" && !unit_in(read_small("/proc/self/cgroup")).empty();
}

void say_once(const std::string& why) {
  static std::atomic<bool> is_said = false;
  if (is_said.exchange(true)) return;
  log_warning("step_scope", "what=" + log_value("steps stay in rollbackd's own unit: " + why));
}

// systemd has answered before it has done it.
asio::awaitable<bool> arrives(pid_t process) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  for (rules::Duration waited{}; waited < answer_limit; waited += look_interval) {
    const std::string cgroups = read_small("/proc/" + std::to_string(process) + "/cgroup");
    if (cgroups.empty() || is_in_scope(cgroups, process)) co_return true;
    timer.expires_after(look_interval);
    co_await timer.async_wait(as_result);
  }
  co_return false;
}

asio::awaitable<void> put_into_scope(pid_t process, std::string description) {
  probes::ChildSpec spec;
  spec.argv = scope_request(process, description);
  spec.limit = answer_limit;
  spec.grace = std::chrono::milliseconds(100);
  spec.stragglers = probes::Stragglers::kill;
  const probes::ChildResult asked = co_await run_trusted(std::move(spec));
  const bool is_granted = asked.end == probes::ChildEnd::exited && asked.exit_code == 0;
  std::string why = asked.end == probes::ChildEnd::not_started ? asked.error : asked.stderr_end;
  if (asked.end == probes::ChildEnd::timed_out) why = "systemd did not answer within " + rules::to_string(answer_limit);
  bool has_arrived = false;
  if (is_granted) has_arrived = co_await arrives(process);
  if (is_granted && !has_arrived) why = "systemd did not move a step within " + rules::to_string(answer_limit);
  if (!has_arrived) say_once(std::string(probes::trimmed(why)));
}

}  // namespace

bool is_in_scope(std::string_view cgroups, pid_t process) {
  return cgroups.find("/" + scope_name(process)) != cgroups.npos;
}

std::vector<std::string> scope_request(pid_t process, const std::string& description) {
  return {"busctl",
          "--timeout=1",
          "--quiet",
          "call",
          "org.freedesktop.systemd1",
          "/org/freedesktop/systemd1",
          "org.freedesktop.systemd1.Manager",
          "StartTransientUnit",
          "ssa(sv)a(sa(sv))",
          scope_name(process),
          "fail",
          "3",
          "PIDs",
          "au",
          "1",
          std::to_string(process),
          "Description",
          "s",
          description,
          "CollectMode",
          "s",
          "inactive-or-failed",
          "0"};
}

probes::Place scope_of_its_own(const std::vector<std::string>& argv) {
  if (!is_run_by_systemd()) return {};
  // Not its other words: systemd writes this into the journal, and they may hold secrets.
  const std::string description = visible(("rollbackd: " + argv.front()).substr(0, description_max));
  return [description](pid_t process) { return put_into_scope(process, description); };
}

}  // namespace watcher
