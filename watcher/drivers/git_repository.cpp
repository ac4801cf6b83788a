#include "watcher/drivers/git_repository.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "probes/parse/number.hpp"
#include "rules/base/parse.hpp"
#include "watcher/drivers/git_error.hpp"
#include "watcher/drivers/git_in_the_way.hpp"
#include "watcher/drivers/runs_as.hpp"

namespace watcher {

namespace {

// A question to a repository is answered in milliseconds; a disk that hangs must not hold up the reading of revisions.
constexpr rules::Duration question_limit = std::chrono::seconds(4);
constexpr rules::Duration question_grace = std::chrono::seconds(1);
constexpr std::int64_t listing_max = 64 * 1024 * 1024;  // bytes of `git ls-files`: about 500,000 files
// The whole tree is looked at: seconds when it is large and not in memory.
constexpr rules::Duration scan_limit = 10 * question_limit;

bool succeeded(const probes::ChildResult& child) {
  return child.end == probes::ChildEnd::exited && child.exit_code == 0;
}

// Exit code 0 is yes, 1 is no.
std::variant<bool, GitError> yes_or_no(const probes::ChildSpec& spec, const std::string& subcommand,
                                       const probes::ChildResult& child) {
  const bool answered = child.end == probes::ChildEnd::exited && (child.exit_code == 0 || child.exit_code == 1);
  if (!answered) return error_of(spec, subcommand, child);
  return child.exit_code == 0;
}

std::string operation_in(const std::string& git_dir) {
  struct Mark {
    const char* file;
    const char* operation;
  };
  constexpr std::array<Mark, 6> marks{{{"MERGE_HEAD", "merge"},
                                       {"rebase-merge", "rebase"},
                                       {"rebase-apply", "rebase"},
                                       {"CHERRY_PICK_HEAD", "cherry-pick"},
                                       {"REVERT_HEAD", "revert"},
                                       {"BISECT_LOG", "bisect"}}};
  for (const Mark& mark : marks) {
    if (::access((git_dir + "/" + mark.file).c_str(), F_OK) == 0) return mark.operation;
  }
  return {};
}

// FNV-1a: identifies content that git has hashed already; nobody attacks it.
std::string digest_of(std::string_view text) {
  constexpr std::uint64_t offset_basis = 14695981039346656037U;
  constexpr std::uint64_t prime = 1099511628211U;
  std::uint64_t hash = offset_basis;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += digits[(hash >> shift) & 0xF];
  return out;
}

}  // namespace

GitRepository::GitRepository(std::string dir, std::vector<std::string> paths, std::string user, probes::Started started)
    : dir_(std::move(dir)), paths_(std::move(paths)), user_(std::move(user)), started_(std::move(started)) {}

std::string GitRepository::why_not_ours() const { return runs_as(dir_, user_).error; }

probes::ChildSpec GitRepository::command(std::vector<std::string> arguments, rules::Duration limit) const {
  probes::ChildSpec spec;
  // A git hook that started us has set these, and git would believe them rather than the directory.
  for (const char* const name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}) {
    if (std::getenv(name) == nullptr) continue;
    if (spec.argv.empty()) spec.argv.emplace_back("env");
    spec.argv.insert(spec.argv.end(), {"-u", name});
  }
  // Somebody's name is needed to stash, and no program but git runs.
  spec.argv.insert(spec.argv.end(),
                   {"git", "-c", "user.name=rollbackd", "-c", "user.email=rollbackd@localhost", "-c",
                    "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false"});
  // Whoever was named may read what is not theirs; root may not be led by what somebody else has written there.
  if (!user_.empty() && user_ != "root") spec.argv.insert(spec.argv.end(), {"-c", "safe.directory=*"});
  spec.argv.insert(spec.argv.end(), std::make_move_iterator(arguments.begin()),
                   std::make_move_iterator(arguments.end()));
  spec.dir = dir_;
  spec.user = runs_as(dir_, user_).user;
  spec.env = {{"GIT_TERMINAL_PROMPT", "0"}, {"LC_ALL", "C"}};
  spec.limit = limit;
  spec.started = started_;
  if (limit == question_limit) spec.grace = question_grace;
  return spec;
}

std::vector<std::string> GitRepository::with_paths(std::vector<std::string> arguments) const {
  if (paths_.empty()) return arguments;
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), paths_.begin(), paths_.end());
  return arguments;
}

asio::awaitable<GitAnswer> GitRepository::ask(std::vector<std::string> arguments, rules::Duration limit) const {
  const std::string subcommand = arguments.front();
  probes::ChildSpec spec = command(std::move(arguments), limit);
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await probes::run_child(std::move(spec));
  if (!succeeded(child)) co_return error_of(given, subcommand, child);
  co_return std::string(probes::trimmed(child.output_stdout));
}

asio::awaitable<GitAnswer> GitRepository::head() const {
  std::vector<std::string> arguments{"rev-parse", "--verify", "HEAD^{commit}"};
  co_return co_await ask(std::move(arguments), question_limit);
}

asio::awaitable<GitAnswer> GitRepository::last_move() const {
  std::vector<std::string> arguments{"log", "--walk-reflogs", "-1", "--date=raw", "--format=%gd %gs", "HEAD"};
  co_return co_await ask(std::move(arguments), question_limit);
}

asio::awaitable<GitAnswer> GitRepository::branch() const {
  std::vector<std::string> arguments{"branch", "--show-current"};
  co_return co_await ask(std::move(arguments), question_limit);
}

asio::awaitable<GitAnswer> GitRepository::commit_of(std::string revision) const {
  std::vector<std::string> arguments{"rev-parse", "--verify", "--quiet", revision + "^{commit}"};
  GitAnswer answer = co_await ask(std::move(arguments), question_limit);
  auto* const error = std::get_if<GitError>(&answer);
  if (error == nullptr || error->timed_out || error->called_off) co_return answer;
  std::vector<std::string> shallow_arguments{"rev-parse", "--is-shallow-repository"};
  const GitAnswer shallow = co_await ask(std::move(shallow_arguments), question_limit);
  const auto* const said = std::get_if<std::string>(&shallow);
  if (said == nullptr) co_return shallow;
  error->what = revision + " is no commit in " + dir_;
  error->what += *said == "true" ? ", which is a shallow clone; git -C " + dir_ + " fetch --unshallow brings the rest"
                                 : "; git -C " + dir_ + " fetch may bring it";
  co_return answer;
}

asio::awaitable<GitAnswer> GitRepository::unfinished_operation() const {
  std::vector<std::string> arguments{"rev-parse", "--absolute-git-dir"};
  GitAnswer answer = co_await ask(std::move(arguments), question_limit);
  auto* const git_dir = std::get_if<std::string>(&answer);
  if (git_dir == nullptr) co_return answer;
  *git_dir = operation_in(*git_dir);
  if (!git_dir->empty()) co_return answer;
  // A stash that was applied with conflicts leaves nothing but these.
  std::vector<std::string> unmerged{"ls-files", "--unmerged", "--", ":/"};
  GitAnswer conflicts = co_await ask(std::move(unmerged), question_limit);
  auto* const found = std::get_if<std::string>(&conflicts);
  if (found != nullptr && !found->empty()) *found = "merge with conflicts";
  co_return conflicts;
}

asio::awaitable<GitAnswer> GitRepository::lock_held(rules::Duration for_long, rules::Instant now) const {
  std::vector<std::string> arguments{"rev-parse", "--absolute-git-dir"};
  GitAnswer answer = co_await ask(std::move(arguments), question_limit);
  auto* const git_dir = std::get_if<std::string>(&answer);
  if (git_dir == nullptr) co_return answer;
  const std::string lock = *git_dir + "/index.lock";
  struct stat info {};
  const bool held = ::stat(lock.c_str(), &info) == 0 &&
                    now - rules::from_unix_seconds(static_cast<double>(info.st_mtime)) >= for_long;
  *git_dir = held ? lock : std::string();
  co_return answer;
}

asio::awaitable<GitDone> GitRepository::wait_for_index(rules::Duration limit) const {
  constexpr rules::Duration pause = std::chrono::milliseconds(100);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  rules::Duration waited{};
  while (true) {
    const GitAnswer lock = co_await lock_held(rules::Duration::min(), rules::Instant());
    if (const auto* const error = std::get_if<GitError>(&lock)) co_return *error;
    const std::string& held = std::get<std::string>(lock);
    if (held.empty()) co_return GitDone();
    if (waited >= limit) {
      co_return GitError{held + " is there: another git works here, or one died; do remove it when no git runs in " +
                         dir_};
    }
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
    waited += pause;
  }
}

asio::awaitable<std::variant<bool, GitError>> GitRepository::index_equals(std::string commit) const {
  std::vector<std::string> arguments{"diff-index", "--cached", "--quiet", commit};
  probes::ChildSpec spec = command(with_paths(std::move(arguments)), question_limit);
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await probes::run_child(std::move(spec));
  co_return yes_or_no(given, "diff-index", child);
}

asio::awaitable<GitAnswer> GitRepository::list(std::vector<std::string> arguments) const {
  const std::string subcommand = arguments.front();
  probes::ChildSpec spec = command(std::move(arguments), scan_limit);
  spec.output_max = listing_max;
  const probes::ChildSpec given = spec;
  probes::ChildResult child = co_await probes::run_child(std::move(spec));
  if (!succeeded(child)) co_return error_of(given, subcommand, child);
  if (child.output_dropped > 0) co_return GitError{"git " + subcommand + " in " + dir_ + ": names too many files"};
  co_return std::move(child.output_stdout);
}

asio::awaitable<GitAnswer> GitRepository::index_digest() const {
  std::vector<std::string> arguments{"ls-files", "--stage", "-z"};
  std::vector<std::string> limited = with_paths(std::move(arguments));
  GitAnswer listing = co_await list(std::move(limited));
  if (auto* const text = std::get_if<std::string>(&listing)) *text = digest_of(*text);
  co_return listing;
}

asio::awaitable<std::variant<bool, GitError>> GitRepository::has_changes() const {
  // A change that git was told to overlook would be overwritten; a file that has one is not overlooked any more. It
  // exits with 1 when files differ: whether it can be asked at all, the next question tells.
  std::vector<std::string> refresh{"update-index", "-q", "--really-refresh"};
  co_await ask(std::move(refresh), scan_limit);
  std::vector<std::string> arguments{"status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=all"};
  std::vector<std::string> limited = with_paths(std::move(arguments));
  const GitAnswer answer = co_await ask(std::move(limited), scan_limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return !std::get<std::string>(answer).empty();
}

asio::awaitable<std::variant<std::vector<std::string>, GitError>> GitRepository::in_the_way_of(
    std::string commit) const {
  std::vector<std::string> coming_arguments{"diff-index", "--cached", "-z", "--name-only", "--diff-filter=D", commit};
  std::vector<std::string> limited = with_paths(std::move(coming_arguments));
  const GitAnswer coming = co_await list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&coming)) co_return *error;
  if (std::get<std::string>(coming).empty()) co_return std::vector<std::string>();
  std::vector<std::string> others_arguments{"ls-files", "--others", "--full-name", "-z", "--", ":/"};
  const GitAnswer others = co_await list(std::move(others_arguments));
  if (const auto* const error = std::get_if<GitError>(&others)) co_return *error;
  co_return files_in_the_way(names_in(std::get<std::string>(coming)), names_in(std::get<std::string>(others)));
}

// A path that nothing is known of would make git refuse them all.
asio::awaitable<std::vector<std::string>> GitRepository::changed_paths() const {
  std::vector<std::string> changed;
  for (const std::string& path : paths_) {
    std::vector<std::string> arguments{"status", "--porcelain", "--ignore-submodules=all", "--", path};
    const GitAnswer answer = co_await ask(std::move(arguments), scan_limit);
    const auto* const text = std::get_if<std::string>(&answer);
    if (text == nullptr || !text->empty()) changed.push_back(path);
  }
  co_return changed;
}

asio::awaitable<GitAnswer> GitRepository::push_stash(std::vector<std::string> arguments, rules::Duration limit) const {
  std::vector<std::string> before_arguments{"stash", "list", "-1", "--format=%H"};
  std::vector<std::string> after_arguments = before_arguments;
  const GitAnswer before = co_await ask(std::move(before_arguments), question_limit);
  if (std::holds_alternative<GitError>(before)) co_return before;
  const GitAnswer pushed = co_await ask(std::move(arguments), limit);
  if (std::holds_alternative<GitError>(pushed)) co_return pushed;
  GitAnswer after = co_await ask(std::move(after_arguments), question_limit);
  if (after.index() == 0 && std::get<std::string>(after) == std::get<std::string>(before)) co_return std::string();
  co_return after;
}

asio::awaitable<GitAnswer> GitRepository::stash(std::string message, rules::Duration limit) const {
  std::vector<std::string> arguments{"stash", "push", "--include-untracked", "--message", message};
  const std::vector<std::string> changed = co_await changed_paths();
  if (!changed.empty()) arguments.emplace_back("--");
  arguments.insert(arguments.end(), changed.begin(), changed.end());
  co_return co_await push_stash(std::move(arguments), limit);
}

asio::awaitable<GitAnswer> GitRepository::stash_files(std::vector<std::string> files, std::string message,
                                                      rules::Duration limit) const {
  std::vector<std::string> arguments{"stash", "push", "--all", "--message", message, "--"};
  for (const std::string& file : files) arguments.push_back(":(top,literal)" + file);
  co_return co_await push_stash(std::move(arguments), limit);
}

asio::awaitable<GitDone> GitRepository::move_head(std::vector<std::string> arguments, std::string reason,
                                                  rules::Duration limit) const {
  probes::ChildSpec spec = command(std::move(arguments), limit);
  spec.env["GIT_REFLOG_ACTION"] = reason;
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await probes::run_child(std::move(spec));
  if (!succeeded(child)) co_return error_of(given, "checkout", child);
  co_return GitDone();
}

asio::awaitable<GitDone> GitRepository::check_out(std::string commit_or_branch, std::string reason,
                                                  rules::Duration limit) const {
  std::vector<std::string> arguments{"checkout", "--no-overwrite-ignore", commit_or_branch, "--"};
  co_return co_await move_head(std::move(arguments), std::move(reason), limit);
}

asio::awaitable<GitDone> GitRepository::go_back_to(std::string commit_or_branch, std::string reason,
                                                   rules::Duration limit) const {
  std::vector<std::string> arguments{"checkout", "--force", commit_or_branch, "--"};
  co_return co_await move_head(std::move(arguments), std::move(reason), limit);
}

asio::awaitable<GitDone> GitRepository::check_out_paths(std::string commit, rules::Duration limit) const {
  std::vector<std::string> arguments{"restore", "--source=" + commit, "--staged", "--worktree"};
  std::vector<std::string> limited = with_paths(std::move(arguments));
  const GitAnswer answer = co_await ask(std::move(limited), limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return GitDone();
}

asio::awaitable<std::variant<bool, GitError>> GitRepository::has_submodules(std::string commit) const {
  std::vector<std::string> arguments{"ls-tree", "--full-tree", "--name-only", commit, ".gitmodules"};
  const GitAnswer answer = co_await ask(std::move(arguments), question_limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return !std::get<std::string>(answer).empty();
}

asio::awaitable<GitDone> GitRepository::update_submodules(rules::Duration limit) const {
  std::vector<std::string> arguments{"submodule", "update", "--init", "--recursive"};
  std::vector<std::string> limited = with_paths(std::move(arguments));
  const GitAnswer answer = co_await ask(std::move(limited), limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return GitDone();
}

}  // namespace watcher
