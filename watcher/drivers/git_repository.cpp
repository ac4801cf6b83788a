#include "watcher/drivers/git_repository.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <utility>

#include "watcher/drivers/git_changes.hpp"
#include "watcher/drivers/git_in_the_way.hpp"
#include "watcher/drivers/git_locks.hpp"

namespace watcher {

namespace {

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

// Git exits with 0 though it could not write or remove a file; only what it says tells.
std::string fault_in(std::string_view said) {
  for (const std::string_view fault : {"error: ", "warning: unable to unlink"}) {
    std::size_t at = said.find(fault);
    if (at == said.npos || (at > 0 && said[at - 1] != '\n')) continue;
    return std::string(said.substr(at, said.find('\n', at) - at));
  }
  return {};
}

}  // namespace

asio::awaitable<GitAnswer> GitRepository::head() const {
  std::vector<std::string> arguments{"rev-parse", "--verify", "HEAD^{commit}"};
  co_return co_await git_.ask(std::move(arguments), git_question_limit);
}

asio::awaitable<GitAnswer> GitRepository::last_move() const {
  std::vector<std::string> arguments{"log", "--walk-reflogs", "-1", "--date=raw", "--format=%gd %gs", "HEAD"};
  co_return co_await git_.ask(std::move(arguments), git_question_limit);
}

asio::awaitable<GitAnswer> GitRepository::branch() const {
  std::vector<std::string> arguments{"branch", "--show-current"};
  co_return co_await git_.ask(std::move(arguments), git_question_limit);
}

asio::awaitable<GitAnswer> GitRepository::commit_of(std::string revision) const {
  std::vector<std::string> arguments{"rev-parse", "--verify", "--quiet", revision + "^{commit}"};
  GitAnswer answer = co_await git_.ask(std::move(arguments), git_question_limit);
  auto* const error = std::get_if<GitError>(&answer);
  if (error == nullptr || error->timed_out || error->called_off) co_return answer;
  std::vector<std::string> shallow_arguments{"rev-parse", "--is-shallow-repository"};
  const GitAnswer shallow = co_await git_.ask(std::move(shallow_arguments), git_question_limit);
  const auto* const said = std::get_if<std::string>(&shallow);
  if (said == nullptr) co_return shallow;
  error->what = revision + " is no commit in " + dir();
  error->what += *said == "true" ? ", which is a shallow clone; do git -C " + dir() + " fetch --unshallow"
                                 : "; do git -C " + dir() + " fetch, which may bring it";
  co_return answer;
}

asio::awaitable<GitAnswer> GitRepository::git_dir() const {
  std::vector<std::string> arguments{"rev-parse", "--absolute-git-dir"};
  co_return co_await git_.ask(std::move(arguments), git_question_limit);
}

asio::awaitable<GitAnswer> GitRepository::unfinished_operation(std::string git_dir) const {
  std::string operation = operation_in(git_dir);
  if (!operation.empty()) co_return operation;
  // A stash that was applied with conflicts leaves nothing but these.
  std::vector<std::string> unmerged{"ls-files", "--unmerged", "--", ":/"};
  GitAnswer conflicts = co_await git_.ask(std::move(unmerged), git_question_limit);
  auto* const found = std::get_if<std::string>(&conflicts);
  if (found != nullptr && !found->empty()) *found = "merge with conflicts";
  co_return conflicts;
}

asio::awaitable<GitAnswer> GitRepository::why_stuck(rules::Duration held_for, rules::Instant now) const {
  const GitAnswer where = co_await git_dir();
  const auto* const found = std::get_if<std::string>(&where);
  if (found == nullptr) co_return where;
  const GitAnswer operation = co_await unfinished_operation(*found);
  const auto* const name = std::get_if<std::string>(&operation);
  if (name == nullptr) co_return operation;
  if (!name->empty()) co_return "a " + *name + " is under way in " + dir() + "; do end it or abort it by hand";
  std::string lock = lock_on_checkout(*found, held_for, now);
  if (lock.empty()) {
    lock = lock_on_stash(*found, held_for, now);
    if (lock.empty()) co_return std::string();
    const GitChanges changes(git_);
    const GitAnswer status = co_await changes.status();
    if (status.index() != 0 || std::get<std::string>(status).empty()) co_return status;
  }
  co_return lock + " has been there for a while; do remove it when no git runs in " + dir();
}

asio::awaitable<GitDone> GitRepository::wait_for_index(rules::Duration limit) const {
  constexpr rules::Duration pause = std::chrono::milliseconds(100);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const GitAnswer where = co_await git_dir();
  if (const auto* const error = std::get_if<GitError>(&where)) co_return *error;
  for (rules::Duration waited{};; waited += pause) {
    const std::string held = lock_on_checkout(std::get<std::string>(where), rules::Duration::min(), rules::Instant());
    if (held.empty()) co_return GitDone();
    if (waited >= limit) {
      co_return GitError{held + " is there: another git works here, or one died; do remove it when no git runs in " +
                         dir()};
    }
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<GitDone> GitRepository::knows_paths(std::string commit) const {
  if (paths().empty()) co_return GitDone();
  const std::vector<std::string> asked{"ls-files", "--with-tree=" + commit, "--error-unmatch", "--"};
  std::vector<std::string> all = asked;
  all.insert(all.end(), paths().begin(), paths().end());
  const GitAnswer known = co_await git_.ask(std::move(all), git_question_limit);
  if (known.index() == 0) co_return GitDone();
  // Before it says which one it does not know, it lists the others.
  for (const std::string& path : paths()) {
    std::vector<std::string> one = asked;
    one.push_back(path);
    const GitAnswer answer = co_await git_.ask(std::move(one), git_question_limit);
    if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  }
  co_return std::get<GitError>(known);
}

asio::awaitable<GitYesNo> GitRepository::index_equals(std::string commit) const {
  std::vector<std::string> arguments{"diff-index", "--cached", "--quiet", commit};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  co_return co_await git_.yes_or_no(std::move(limited), git_question_limit);
}

asio::awaitable<GitFiles> GitRepository::changes_up_to(std::string commit, int count) const {
  std::vector<std::string> arguments{"log", "-" + std::to_string(count), "-z", "--format=%H", commit};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git_.ask(std::move(limited), git_question_limit);
  if (const auto* const error = std::get_if<GitError>(&listing)) co_return *error;
  co_return names_in(std::get<std::string>(listing));
}

asio::awaitable<GitAnswer> GitRepository::index_digest() const {
  std::vector<std::string> arguments{"ls-files", "--stage", "-z"};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  GitAnswer listing = co_await git_.list(std::move(limited));
  if (auto* const text = std::get_if<std::string>(&listing)) *text = digest_of(*text);
  co_return listing;
}

asio::awaitable<GitDone> GitRepository::check_out(std::string commit_or_branch, std::string reason,
                                                  rules::Duration limit) const {
  std::vector<std::string> arguments{"checkout", "--no-overwrite-ignore", commit_or_branch, "--"};
  const GitAnswer answer = co_await git_.move_head(std::move(arguments), std::move(reason), limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  const std::string fault = fault_in(std::get<std::string>(answer));
  if (!fault.empty()) co_return GitError{"git checkout in " + dir() + ": " + fault};
  co_return GitDone();
}

asio::awaitable<GitDone> GitRepository::go_back_to(std::string commit_or_branch, std::string reason,
                                                   rules::Duration limit) const {
  std::vector<std::string> arguments{"checkout", "--force", commit_or_branch, "--"};
  const GitAnswer answer = co_await git_.move_head(std::move(arguments), std::move(reason), limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return GitDone();
}

asio::awaitable<GitDone> GitRepository::check_out_paths(std::string commit, rules::Duration limit) const {
  std::vector<std::string> arguments{"restore", "--source=" + commit, "--staged", "--worktree"};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  const GitAnswer answer = co_await git_.ask(std::move(limited), limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return GitDone();
}

asio::awaitable<GitDone> GitRepository::own_half_done(std::string from, std::string commit,
                                                      rules::Duration limit) const {
  std::vector<std::string> arguments{"read-tree", "--reset", commit};
  if (!paths().empty()) arguments = git_.with_paths({"restore", "--source=" + commit, "--staged"});
  const GitAnswer taken = co_await git_.ask(std::move(arguments), limit);
  if (const auto* const error = std::get_if<GitError>(&taken)) co_return *error;
  std::vector<std::string> refresh{"update-index", "-q", "--refresh"};
  co_await git_.ask(std::move(refresh), git_scan_limit);
  std::vector<std::string> new_arguments{"diff-index",      "--cached", "--no-renames", "--name-only", "-z",
                                         "--diff-filter=A", from};
  std::vector<std::string> new_limited = git_.with_paths(std::move(new_arguments));
  const GitAnswer fresh = co_await git_.list(std::move(new_limited));
  if (const auto* const error = std::get_if<GitError>(&fresh)) co_return *error;
  std::vector<std::string> other_arguments{"diff-files", "--name-only", "-z", "--diff-filter=MT"};
  std::vector<std::string> other_limited = git_.with_paths(std::move(other_arguments));
  const GitAnswer others = co_await git_.list(std::move(other_limited));
  if (const auto* const error = std::get_if<GitError>(&others)) co_return *error;
  const std::vector<std::string> ours = names_in(std::get<std::string>(fresh));
  std::vector<std::string> remove{"rm", "--cached", "--quiet", "--force", "--"};
  const std::size_t words = remove.size();
  for (const std::string& name : names_in(std::get<std::string>(others))) {
    if (std::find(ours.begin(), ours.end(), name) != ours.end()) remove.push_back(":(top,literal)" + name);
  }
  if (remove.size() == words) co_return GitDone();
  const GitAnswer removed = co_await git_.ask(std::move(remove), limit);
  if (const auto* const error = std::get_if<GitError>(&removed)) co_return *error;
  co_return GitDone();
}

asio::awaitable<GitYesNo> GitRepository::has_submodules(std::string commit) const {
  std::vector<std::string> arguments{"ls-tree", "--full-tree", "--name-only", commit, ".gitmodules"};
  const GitAnswer answer = co_await git_.ask(std::move(arguments), git_question_limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return !std::get<std::string>(answer).empty();
}

}  // namespace watcher
