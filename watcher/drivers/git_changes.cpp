#include "watcher/drivers/git_changes.hpp"

#include <utility>

#include "watcher/drivers/git_in_the_way.hpp"

namespace watcher {

asio::awaitable<GitYesNo> GitChanges::has_changes() const {
  // A change that git was told to overlook would be overwritten; a file that has one is not overlooked any more. It
  // exits with 1 when files differ: whether it can be asked at all, the next question tells.
  std::vector<std::string> refresh{"update-index", "-q", "--really-refresh"};
  co_await git_.ask(std::move(refresh), git_scan_limit);
  std::vector<std::string> arguments{"status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  const GitAnswer answer = co_await git_.ask(std::move(limited), git_scan_limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return !std::get<std::string>(answer).empty();
}

asio::awaitable<GitFiles> GitChanges::others_where(std::vector<std::string> coming_arguments) const {
  std::vector<std::string> limited = git_.with_paths(std::move(coming_arguments));
  const GitAnswer coming = co_await git_.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&coming)) co_return *error;
  if (std::get<std::string>(coming).empty()) co_return std::vector<std::string>();
  std::vector<std::string> others_arguments{"ls-files", "--others", "--full-name", "-z", "--", ":/"};
  const GitAnswer others = co_await git_.list(std::move(others_arguments));
  if (const auto* const error = std::get_if<GitError>(&others)) co_return *error;
  co_return files_in_the_way(coming_in(std::get<std::string>(coming)), names_in(std::get<std::string>(others)));
}

asio::awaitable<GitFiles> GitChanges::in_the_way_of(std::string commit) const {
  std::vector<std::string> arguments{"diff-index", "--cached", "--raw", "-z", "--diff-filter=D", commit};
  co_return co_await others_where(std::move(arguments));
}

asio::awaitable<GitFiles> GitChanges::in_the_way_of_head() const {
  std::vector<std::string> arguments{"diff-index", "--raw", "-z", "--diff-filter=D", "HEAD"};
  co_return co_await others_where(std::move(arguments));
}

asio::awaitable<GitDone> GitChanges::change(std::vector<std::string> arguments, std::vector<std::string> files,
                                            rules::Duration limit) const {
  arguments.emplace_back("--");
  for (const std::string& file : files) arguments.push_back(":(top,literal)" + file);
  const GitAnswer answer = co_await git_.ask(std::move(arguments), limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return GitDone();
}

asio::awaitable<GitDone> GitChanges::track(std::vector<std::string> files, rules::Duration limit) const {
  std::vector<std::string> arguments{"add", "--force"};
  co_return co_await change(std::move(arguments), std::move(files), limit);
}

asio::awaitable<GitDone> GitChanges::unstage(std::vector<std::string> files, rules::Duration limit) const {
  std::vector<std::string> arguments{"restore", "--staged"};
  co_return co_await change(std::move(arguments), std::move(files), limit);
}

asio::awaitable<GitFiles> GitChanges::staged_submodules() const {
  std::vector<std::string> arguments{"diff-index", "--cached", "--raw", "-z", "--diff-filter=M", "HEAD"};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git_.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&listing)) co_return *error;
  co_return coming_in(std::get<std::string>(listing)).submodules;
}

// A path that nothing is known of would make git refuse them all.
asio::awaitable<std::vector<std::string>> GitChanges::changed_paths() const {
  std::vector<std::string> changed;
  for (const std::string& path : git_.paths()) {
    std::vector<std::string> arguments{"status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all",
                                       "--",     path};
    const GitAnswer answer = co_await git_.ask(std::move(arguments), git_scan_limit);
    const auto* const text = std::get_if<std::string>(&answer);
    if (text == nullptr || !text->empty()) changed.push_back(path);
  }
  co_return changed;
}

asio::awaitable<GitAnswer> GitChanges::push_stash(std::vector<std::string> arguments, rules::Duration limit) const {
  std::vector<std::string> before_arguments{"stash", "list", "-1", "--format=%H"};
  std::vector<std::string> after_arguments = before_arguments;
  const GitAnswer before = co_await git_.ask(std::move(before_arguments), git_question_limit);
  if (std::holds_alternative<GitError>(before)) co_return before;
  const GitAnswer pushed = co_await git_.ask(std::move(arguments), limit);
  if (std::holds_alternative<GitError>(pushed)) co_return pushed;
  GitAnswer after = co_await git_.ask(std::move(after_arguments), git_question_limit);
  if (after.index() == 0 && std::get<std::string>(after) == std::get<std::string>(before)) co_return std::string();
  co_return after;
}

asio::awaitable<GitAnswer> GitChanges::stash(std::string message, rules::Duration limit) const {
  std::vector<std::string> arguments{"stash", "push", "--message", message};
  const std::vector<std::string> changed = co_await changed_paths();
  if (!changed.empty()) arguments.emplace_back("--");
  arguments.insert(arguments.end(), changed.begin(), changed.end());
  co_return co_await push_stash(std::move(arguments), limit);
}

asio::awaitable<GitAnswer> GitChanges::stash_files(std::vector<std::string> files, std::string message,
                                                   rules::Duration limit) const {
  std::vector<std::string> arguments{"stash", "push", "--all", "--message", message, "--"};
  for (const std::string& file : files) arguments.push_back(":(top,literal)" + file);
  co_return co_await push_stash(std::move(arguments), limit);
}

}  // namespace watcher
