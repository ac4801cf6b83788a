#include "watcher/drivers/git_clearing.hpp"

#include <utility>
#include <variant>

namespace watcher {

namespace {

constexpr std::size_t in_the_way_max = 1000;  // files; more are folders of dependencies, which no command line holds

}  // namespace

GitDone GitClearing::refusal_of(const std::vector<std::string>& files, const std::string& target) const {
  const std::string where = git_.dir() + ": ";
  for (const std::string& file : files) {
    if (!file.ends_with('/')) continue;
    return GitError{where + file + " is in the way of " + target + ", a repository of its own; move it away by hand"};
  }
  if (files.size() <= in_the_way_max) return std::nullopt;
  return GitError{where + files.front() + " is in the way of " + target + " and " + std::to_string(files.size() - 1) +
                  " others are; move them away by hand"};
}

asio::awaitable<GitDone> GitClearing::clear_for(std::string target) {
  GitDone failed = co_await unstage_submodules();
  if (!failed) failed = co_await put_changes_away();
  if (failed) co_return failed;
  co_return co_await put_aside(std::move(target));
}

asio::awaitable<GitDone> GitClearing::unstage_submodules() {
  const GitFiles staged = co_await changes_.staged_submodules();
  if (const auto* const error = std::get_if<GitError>(&staged)) co_return *error;
  const auto& files = std::get<std::vector<std::string>>(staged);
  if (files.empty()) co_return GitDone();
  GitDone failed = manner_.note();
  if (failed) co_return failed;
  co_return co_await changes_.unstage(files, manner_.left());
}

asio::awaitable<GitDone> GitClearing::put_changes_away() {
  const auto changes = co_await changes_.has_changes();
  if (const auto* const error = std::get_if<GitError>(&changes)) co_return *error;
  if (!std::get<bool>(changes)) co_return GitDone();
  // Where a tracked file was removed, or git made to forget it, a stash would write it over what stands there now.
  const GitFiles found = co_await changes_.in_the_way_of_head();
  if (const auto* const error = std::get_if<GitError>(&found)) co_return *error;
  const auto& files = std::get<std::vector<std::string>>(found);
  GitDone failed = refusal_of(files, "what HEAD has");
  if (failed) co_return failed;
  put_away_.stash_message = manner_.changes_message;
  failed = manner_.note();
  if (failed) co_return failed;
  if (!files.empty()) failed = co_await changes_.track(files, manner_.left());
  if (failed) co_return failed;
  const GitAnswer stash = co_await changes_.stash(manner_.changes_message, manner_.left());
  if (const auto* const error = std::get_if<GitError>(&stash)) co_return *error;
  put_away_.stash = std::get<std::string>(stash);
  co_return manner_.note();
}

// Git would refuse to overwrite what it ignores here, and `restore` would not even ask.
asio::awaitable<GitDone> GitClearing::put_aside(std::string target) {
  const GitFiles found = co_await changes_.in_the_way_of(target);
  if (const auto* const error = std::get_if<GitError>(&found)) co_return *error;
  const auto& files = std::get<std::vector<std::string>>(found);
  if (files.empty()) co_return GitDone();
  GitDone failed = refusal_of(files, target);
  if (failed) co_return failed;
  put_away_.aside_message = manner_.aside_message;
  failed = manner_.note();
  if (failed) co_return failed;
  const GitAnswer stash = co_await changes_.stash_files(files, manner_.aside_message, manner_.left());
  if (const auto* const error = std::get_if<GitError>(&stash)) co_return *error;
  put_away_.aside = std::get<std::string>(stash);
  co_return manner_.note();
}

}  // namespace watcher
