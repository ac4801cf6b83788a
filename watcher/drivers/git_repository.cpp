#include "watcher/drivers/git_repository.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "probes/parse/number.hpp"
#include "rules/base/parse.hpp"

namespace watcher {

namespace {

// A question to a repository is answered in milliseconds; a disk that hangs must not hold up the reading of revisions.
constexpr rules::Duration question_limit = std::chrono::seconds(4);
constexpr rules::Duration question_grace = std::chrono::seconds(1);
constexpr std::int64_t listing_max = 64 * 1024 * 1024;  // bytes of `git ls-files`: about 500,000 files

// The tree's owner when we are root and somebody else owns it; empty: we ourselves.
std::string owner_of(const std::string& dir) {
  constexpr std::size_t passwd_entry_max = 16 * 1024;  // bytes; what sysconf suggests is 1 KiB
  struct stat info {};
  if (::geteuid() != 0 || ::stat(dir.c_str(), &info) != 0 || info.st_uid == 0) return {};
  std::array<char, passwd_entry_max> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(info.st_uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_name;
}

GitError error_of(const probes::ChildSpec& spec, const std::string& subcommand, const probes::ChildResult& child) {
  constexpr std::size_t shown_max = 500;  // bytes; git names every file that is in the way
  GitError error;
  error.timed_out = child.end == probes::ChildEnd::timed_out;
  error.called_off = child.end == probes::ChildEnd::cancelled;
  error.what = "git " + subcommand + " in " + spec.dir + ": ";
  if (error.timed_out) {
    error.what += "took longer than " + rules::to_string(spec.limit);
  } else if (child.end == probes::ChildEnd::not_started) {
    error.what += child.error;
  } else {
    const std::string_view said = probes::trimmed(child.output);
    error.what +=
        said.empty() ? "exit code " + std::to_string(child.exit_code) : std::string(said.substr(0, shown_max));
  }
  return error;
}

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

GitRepository::GitRepository(std::string dir, std::vector<std::string> paths)
    : dir_(std::move(dir)), paths_(std::move(paths)) {}

probes::ChildSpec GitRepository::command(std::vector<std::string> arguments, rules::Duration limit) const {
  probes::ChildSpec spec;
  // A git hook that started us has set these, and git would believe them rather than the directory.
  for (const char* const name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}) {
    if (std::getenv(name) == nullptr) continue;
    if (spec.argv.empty()) spec.argv.emplace_back("env");
    spec.argv.insert(spec.argv.end(), {"-u", name});
  }
  // Somebody's name is needed to stash, an owner that is not us is no reason to refuse, and no program but git runs.
  spec.argv.insert(spec.argv.end(), {"git", "-c", "safe.directory=*", "-c", "user.name=rollbackd", "-c",
                                     "user.email=rollbackd@localhost", "-c", "core.hooksPath=/dev/null", "-c",
                                     "core.fsmonitor=false", "-c", "advice.detachedHead=false"});
  spec.argv.insert(spec.argv.end(), std::make_move_iterator(arguments.begin()),
                   std::make_move_iterator(arguments.end()));
  spec.dir = dir_;
  spec.user = owner_of(dir_);
  spec.env = {{"GIT_TERMINAL_PROMPT", "0"}, {"LC_ALL", "C"}};
  spec.limit = limit;
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
  std::vector<std::string> arguments{"rev-parse", "--verify", revision + "^{commit}"};
  co_return co_await ask(std::move(arguments), question_limit);
}

asio::awaitable<GitAnswer> GitRepository::unfinished_operation() const {
  std::vector<std::string> arguments{"rev-parse", "--absolute-git-dir"};
  GitAnswer answer = co_await ask(std::move(arguments), question_limit);
  if (auto* const git_dir = std::get_if<std::string>(&answer)) *git_dir = operation_in(*git_dir);
  co_return answer;
}

asio::awaitable<std::variant<bool, GitError>> GitRepository::index_equals(std::string commit) const {
  std::vector<std::string> arguments{"diff-index", "--cached", "--quiet", commit};
  probes::ChildSpec spec = command(with_paths(std::move(arguments)), question_limit);
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await probes::run_child(std::move(spec));
  co_return yes_or_no(given, "diff-index", child);
}

asio::awaitable<GitAnswer> GitRepository::index_digest() const {
  std::vector<std::string> arguments{"ls-files", "--stage", "-z"};
  probes::ChildSpec spec = command(with_paths(std::move(arguments)), question_limit);
  spec.output_max = listing_max;
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await probes::run_child(std::move(spec));
  if (!succeeded(child) || child.output_dropped > 0) co_return error_of(given, "ls-files", child);
  co_return digest_of(child.output_stdout);
}

asio::awaitable<std::variant<bool, GitError>> GitRepository::has_changes() const {
  std::vector<std::string> arguments{"status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=all"};
  std::vector<std::string> limited = with_paths(std::move(arguments));
  const GitAnswer answer = co_await ask(std::move(limited), question_limit * 10);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return !std::get<std::string>(answer).empty();
}

asio::awaitable<GitAnswer> GitRepository::stash(std::string message, rules::Duration limit) const {
  std::vector<std::string> before_arguments{"stash", "list", "-1", "--format=%H"};
  std::vector<std::string> after_arguments = before_arguments;
  const GitAnswer before = co_await ask(std::move(before_arguments), question_limit);
  if (std::holds_alternative<GitError>(before)) co_return before;
  std::vector<std::string> arguments{"stash", "push", "--include-untracked", "--message", message};
  std::vector<std::string> limited = with_paths(std::move(arguments));
  const GitAnswer pushed = co_await ask(std::move(limited), limit);
  if (std::holds_alternative<GitError>(pushed)) co_return pushed;
  GitAnswer after = co_await ask(std::move(after_arguments), question_limit);
  if (after.index() == 0 && std::get<std::string>(after) == std::get<std::string>(before)) co_return std::string();
  co_return after;
}

asio::awaitable<GitDone> GitRepository::check_out(std::string commit_or_branch, std::string reason,
                                                  rules::Duration limit) const {
  std::vector<std::string> arguments{"checkout", "--no-overwrite-ignore", commit_or_branch, "--"};
  probes::ChildSpec spec = command(std::move(arguments), limit);
  spec.env["GIT_REFLOG_ACTION"] = reason;
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await probes::run_child(std::move(spec));
  if (!succeeded(child)) co_return error_of(given, "checkout", child);
  co_return GitDone();
}

asio::awaitable<GitDone> GitRepository::check_out_paths(std::string commit, rules::Duration limit) const {
  std::vector<std::string> arguments{"restore", "--source=" + commit, "--staged", "--worktree"};
  std::vector<std::string> limited = with_paths(std::move(arguments));
  const GitAnswer answer = co_await ask(std::move(limited), limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return GitDone();
}

}  // namespace watcher
