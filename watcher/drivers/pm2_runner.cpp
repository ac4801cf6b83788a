#include "watcher/drivers/pm2_runner.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "probes/net/user.hpp"
#include "probes/parse/number.hpp"
#include "rules/base/parse.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/drivers/why_not.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

constexpr rules::Duration question_limit = std::chrono::seconds(8);  // node alone takes half a second to start
constexpr rules::Duration question_grace = std::chrono::seconds(1);
constexpr std::int64_t answer_max = 16 * 1024 * 1024;  // bytes; a process is told of by 10 to 50 KiB

}  // namespace

std::string Pm2Runner::user() const { return runs_as(config_.dir, config_.user).user; }

std::string Pm2Runner::home() const {
  if (!config_.home.empty()) return config_.home;
  probes::ChildSpec spec;
  spec.argv = {"true"};
  spec.user = user();
  const probes::AsUser as = probes::as_user_of(spec);
  const auto theirs = as.env.find("HOME");
  if (theirs != as.env.end()) return theirs->second + "/.pm2";
  for (const auto& [name, below] : {std::pair("PM2_HOME", ""), std::pair("HOME", "/.pm2")}) {
    const char* const ours = std::getenv(name);
    if (ours != nullptr) return std::string(ours) + below;
  }
  return "/root/.pm2";
}

std::vector<std::string> Pm2Runner::command(std::vector<std::string> words) const {
  std::vector<std::string> out{"env", "PM2_HOME=" + home()};
  const std::vector<std::string>& pm2 = config_.pm2;
  if (pm2.empty()) out.emplace_back("pm2");
  out.insert(out.end(), pm2.begin(), pm2.end());
  out.insert(out.end(), words.begin(), words.end());
  return out;
}

std::string Pm2Runner::why_not_asked() const {
  const RunsAs as = runs_as(config_.dir, config_.user);
  if (!as.error.empty()) return as.error;
  const std::string refused = watcher::why_not_started({command({}), config_.dir, as.user});
  if (!refused.empty()) return refused;
  const std::string folder = home();
  const std::string number(probes::trimmed(read_small(folder + "/pm2.pid")));
  struct stat found {};
  const bool runs = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos &&
                    ::stat(("/proc/" + number).c_str(), &found) == 0;
  if (!runs) {
    return "pm2's daemon of " + folder + " does not run; do pm2 resurrect as " + name_of(as) +
           ", or correct `home` and `user`";
  }
  return why_not_writable(folder);
}

probes::ChildSpec Pm2Runner::question(std::vector<std::string> words, rules::Duration limit) const {
  probes::ChildSpec spec;
  spec.argv = command(std::move(words));
  spec.dir = config_.dir;
  spec.user = user();
  spec.env = {{"LC_ALL", "C"}, {"PM2_DISCRETE_MODE", "true"}};
  spec.limit = limit;
  spec.grace = question_grace;
  spec.output_max = answer_max;
  return spec;
}

// What it printed is told to nobody: it has the whole environment of each process.
asio::awaitable<Pm2Answer> Pm2Runner::list() const {
  std::vector<std::string> words(1, "jlist");
  probes::ChildSpec spec = question(std::move(words), question_limit);
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  const bool answered = child.end == probes::ChildEnd::exited && child.exit_code == 0;
  if (!answered) {
    GitError error;
    error.what = "pm2 jlist: ";
    error.timed_out = child.end == probes::ChildEnd::timed_out;
    error.called_off = child.end == probes::ChildEnd::cancelled;
    if (child.end == probes::ChildEnd::not_started)
      error.what += child.error;
    else if (error.timed_out)
      error.what += "took longer than " + rules::to_string(question_limit) + "; do look whether pm2's daemon hangs";
    else
      error.what += "failed with exit code " + std::to_string(child.exit_code) + "; do run it by hand";
    co_return error;
  }
  std::optional<Pm2Listing> listing = parse_pm2(child.output_stdout, config_.processes);
  if (!listing) co_return GitError{"pm2 jlist printed no list; do run it by hand"};
  for (const std::string& name : config_.processes) {
    const auto& all = listing->processes;
    const bool is_there = std::any_of(all.begin(), all.end(), [&](const Pm2Process& one) { return one.name == name; });
    if (!is_there && listing->missing.empty()) listing->missing = "pm2 has no process " + name;
  }
  co_return std::move(*listing);
}

}  // namespace watcher
