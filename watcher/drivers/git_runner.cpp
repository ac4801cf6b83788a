#include "watcher/drivers/git_runner.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "probes/parse/number.hpp"
#include "watcher/drivers/git_error.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

constexpr rules::Duration question_grace = std::chrono::seconds(1);
constexpr std::int64_t listing_max = 64 * 1024 * 1024;  // bytes of `git ls-files`: about 500,000 files

bool succeeded(const probes::ChildResult& child) {
  return child.end == probes::ChildEnd::exited && child.exit_code == 0;
}

}  // namespace

GitRunner::GitRunner(std::string dir, std::vector<std::string> paths, std::string user, probes::Started started)
    : dir_(std::move(dir)), paths_(std::move(paths)), user_(std::move(user)), started_(std::move(started)) {}

// What lies in somebody's tree may be theirs to exchange: root must not be led there as whoever owns that.
GitRunner GitRunner::inside(const std::string& folder) const {
  return {dir_ + "/" + folder, {}, runs_as(dir_, user_).user, started_};
}

std::string GitRunner::user() const { return runs_as(dir_, user_).user; }

// Who can write there decides what git and a build run. A group may share a checkout with its owner, not with root.
std::string GitRunner::why_not_ours() const {
  const RunsAs as = runs_as(dir_, user_);
  if (!as.error.empty()) return as.error;
  const bool is_owner_s = !as.user.empty() && as.user != "root";
  for (const char* const part : {"", "/.git", "/.git/config", "/.git/hooks", "/.git/info"}) {
    struct stat status {};
    const std::string path = dir_ + part;
    if (::stat(path.c_str(), &status) != 0) continue;
    const bool is_open = (status.st_mode & S_IWOTH) != 0 || (!is_owner_s && (status.st_mode & S_IWGRP) != 0);
    if (!is_open) continue;
    if (const std::optional<std::string> others = changed_by_others(path, as.user)) {
      return *others + "; what is in it is run as " + name_of(as);
    }
  }
  return {};
}

// In a switch and after it a question may wait as long as a scan: the host may be as busy as it is because of what
// goes.
rules::Duration GitRunner::given(rules::Duration limit) const {
  return started_ || is_patient_ ? std::max(limit, git_scan_limit) : limit;
}

probes::ChildSpec GitRunner::plain(rules::Duration limit) const {
  probes::ChildSpec spec;
  spec.dir = dir_;
  spec.user = runs_as(dir_, user_).user;
  // As `git submodule` has it: addresses that a checkout brings may not lead to this machine's files.
  // What only asks does not lock the index: a deployment at that moment would fail, and a git that is killed leave the
  // lock.
  spec.env = {
      {"GIT_TERMINAL_PROMPT", "0"}, {"GIT_PROTOCOL_FROM_USER", "0"}, {"GIT_OPTIONAL_LOCKS", "0"}, {"LC_ALL", "C"}};
  spec.limit = given(limit);
  spec.started = started_;
  if (limit == git_question_limit) spec.grace = question_grace;
  return spec;
}

probes::ChildSpec GitRunner::command(std::vector<std::string> arguments, rules::Duration limit) const {
  probes::ChildSpec spec = plain(limit);
  // A git hook that started us has set these, and git would believe them rather than the directory.
  for (const char* const name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}) {
    if (std::getenv(name) == nullptr) continue;
    if (spec.argv.empty()) spec.argv.emplace_back("env");
    spec.argv.insert(spec.argv.end(), {"-u", name});
  }
  // Somebody's name is needed to stash, and no program but git runs.
  spec.argv.insert(spec.argv.end(), {"git", "-c", "user.name=rollbackd", "-c", "user.email=rollbackd@localhost", "-c",
                                     "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c",
                                     "submodule.recurse=false", "-c", "advice.detachedHead=false"});
  // Whoever was named may read what is not theirs; root may not be led by what somebody else has written there.
  if (!user_.empty() && user_ != "root") spec.argv.insert(spec.argv.end(), {"-c", "safe.directory=*"});
  spec.argv.insert(spec.argv.end(), std::make_move_iterator(arguments.begin()),
                   std::make_move_iterator(arguments.end()));
  return spec;
}

std::vector<std::string> GitRunner::with_paths(std::vector<std::string> arguments) const {
  if (paths_.empty()) return arguments;
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), paths_.begin(), paths_.end());
  return arguments;
}

asio::awaitable<GitAnswer> GitRunner::ask(std::vector<std::string> arguments, rules::Duration limit) const {
  const std::string subcommand = arguments.front();
  probes::ChildSpec spec = command(std::move(arguments), limit);
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (!succeeded(child)) co_return error_of(given, subcommand, child);
  co_return std::string(probes::trimmed(child.output_stdout));
}

asio::awaitable<GitYesNo> GitRunner::yes_or_no(std::vector<std::string> arguments, rules::Duration limit) const {
  const std::string subcommand = arguments.front();
  probes::ChildSpec spec = command(std::move(arguments), limit);
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  const bool answered = child.end == probes::ChildEnd::exited && (child.exit_code == 0 || child.exit_code == 1);
  if (!answered) co_return error_of(given, subcommand, child);
  co_return child.exit_code == 0;
}

asio::awaitable<GitAnswer> GitRunner::list(std::vector<std::string> arguments) const {
  const std::string subcommand = arguments.front();
  probes::ChildSpec spec = command(std::move(arguments), git_scan_limit);
  spec.output_max = listing_max;
  const probes::ChildSpec given = spec;
  probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (!succeeded(child)) co_return error_of(given, subcommand, child);
  if (child.output_dropped > 0) co_return GitError{"git " + subcommand + " in " + dir_ + ": names too many files"};
  co_return std::move(child.output_stdout);
}

asio::awaitable<GitDone> GitRunner::run(std::vector<std::string> argv, rules::Duration limit) const {
  probes::ChildSpec spec = plain(limit);
  spec.argv = std::move(argv);
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (!succeeded(child)) co_return error_of(given, given.argv.front(), child);
  co_return GitDone();
}

asio::awaitable<GitAnswer> GitRunner::way_up() const {
  std::vector<std::string> arguments{"rev-parse", "--show-cdup"};
  co_return co_await ask(std::move(arguments), git_question_limit);
}

asio::awaitable<GitAnswer> GitRunner::move_head(std::vector<std::string> arguments, std::string reason,
                                                rules::Duration limit) const {
  const std::string subcommand = arguments.front();
  probes::ChildSpec spec = command(std::move(arguments), limit);
  spec.env["GIT_REFLOG_ACTION"] = reason;
  const probes::ChildSpec given = spec;
  probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (!succeeded(child)) co_return error_of(given, subcommand, child);
  co_return std::move(child.output);
}

}  // namespace watcher
