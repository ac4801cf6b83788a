#include "watcher/drivers/git_changes.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "watcher/drivers/git_in_the_way.hpp"

namespace watcher {

asio::awaitable<GitAnswer> GitChanges::status() const {
  std::vector<std::string> arguments{"status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all"};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  co_return co_await git_.list(std::move(limited));
}

asio::awaitable<GitYesNo> GitChanges::differs_from(std::string commit) const {
  std::vector<std::string> staged_arguments{"diff-index", "--cached", "--quiet", "--ignore-submodules=all", commit};
  std::vector<std::string> staged = git_.with_paths(std::move(staged_arguments));
  const GitYesNo same = co_await git_.yes_or_no(std::move(staged), git_scan_limit);
  if (const auto* const error = std::get_if<GitError>(&same)) co_return *error;
  if (!std::get<bool>(same)) co_return true;
  std::vector<std::string> arguments{"diff", "--quiet", "--no-ext-diff", "--ignore-submodules=all"};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  const GitYesNo untouched = co_await git_.yes_or_no(std::move(limited), git_scan_limit);
  if (const auto* const error = std::get_if<GitError>(&untouched)) co_return *error;
  co_return !std::get<bool>(untouched);
}

asio::awaitable<GitFiles> GitChanges::differing_from(std::string commit) const {
  std::vector<std::string> arguments{"diff-index", "--name-only", "-z", "--ignore-submodules=all", commit};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git_.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&listing)) co_return *error;
  co_return names_in(std::get<std::string>(listing));
}

asio::awaitable<GitYesNo> GitChanges::has_changes() const {
  // A change that git was told to overlook would be overwritten; a file that has one is not overlooked any more. It
  // exits with 1 when files differ: whether it can be asked at all, the next question tells.
  std::vector<std::string> refresh{"update-index", "-q", "--really-refresh"};
  co_await git_.ask(std::move(refresh), git_scan_limit);
  const GitAnswer answer = co_await status();
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  co_return !std::get<std::string>(answer).empty();
}

asio::awaitable<GitFiles> GitChanges::others_where(std::vector<std::string> coming_arguments) const {
  std::vector<std::string> limited = git_.with_paths(std::move(coming_arguments));
  const GitAnswer coming = co_await git_.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&coming)) co_return *error;
  if (std::get<std::string>(coming).empty()) co_return std::vector<std::string>();
  const GitComing found = coming_in(std::get<std::string>(coming));
  const GitFiles submodules = co_await submodules_in(submodules_giving_way(found));
  if (submodules.index() != 0 || !std::get<std::vector<std::string>>(submodules).empty()) co_return submodules;
  std::vector<std::string> others_arguments{"ls-files", "--others", "--full-name", "-z", "--", ":/"};
  const GitAnswer others = co_await git_.list(std::move(others_arguments));
  if (const auto* const error = std::get_if<GitError>(&others)) co_return *error;
  co_return files_in_the_way(found, names_in(std::get<std::string>(others)));
}

// Those that have something in them, named as the repositories that they are.
asio::awaitable<GitFiles> GitChanges::submodules_in(std::vector<std::string> links) const {
  std::vector<std::string> out;
  if (links.empty()) co_return out;
  const GitAnswer up = co_await git_.way_up();
  if (const auto* const error = std::get_if<GitError>(&up)) co_return *error;
  for (const std::string& link : links) {
    std::error_code unreadable;
    const std::string folder = git_.dir() + "/" + std::get<std::string>(up) + link;
    const bool empty = std::filesystem::is_empty(folder, unreadable);
    const bool absent = unreadable == std::errc::no_such_file_or_directory;
    if (!absent && !empty) out.push_back(link + "/");
  }
  co_return out;
}

asio::awaitable<GitFiles> GitChanges::in_the_way_of(std::string commit) const {
  std::vector<std::string> arguments{"diff-index", "--cached", "--raw", "-z", "--diff-filter=DAT", commit};
  co_return co_await others_where(std::move(arguments));
}

asio::awaitable<GitFiles> GitChanges::in_the_way_of_head() const {
  std::vector<std::string> arguments{"diff-index", "--raw", "-z", "--diff-filter=DAT", "HEAD"};
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

asio::awaitable<GitFiles> GitChanges::intended() const {
  std::vector<std::string> arguments{"diff-files", "--name-only", "-z", "--diff-filter=A"};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git_.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&listing)) co_return *error;
  co_return names_in(std::get<std::string>(listing));
}

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

// Git may fail after it has made the stash: what is in there has to be found all the same.
asio::awaitable<GitDone> GitChanges::push_stash(std::vector<std::string> arguments, std::string& id,
                                                rules::Duration limit) const {
  std::vector<std::string> before_arguments{"stash", "list", "-1", "--format=%H"};
  std::vector<std::string> after_arguments = before_arguments;
  const GitAnswer before = co_await git_.ask(std::move(before_arguments), git_question_limit);
  if (const auto* const error = std::get_if<GitError>(&before)) co_return *error;
  const GitAnswer pushed = co_await git_.ask(std::move(arguments), limit);
  const GitAnswer after = co_await git_.ask(std::move(after_arguments), git_question_limit);
  const auto* const newest = std::get_if<std::string>(&after);
  if (newest != nullptr && *newest != std::get<std::string>(before)) id = *newest;
  if (const auto* const error = std::get_if<GitError>(&pushed)) co_return *error;
  if (const auto* const error = std::get_if<GitError>(&after)) co_return *error;
  co_return GitDone();
}

asio::awaitable<GitDone> GitChanges::stash(std::vector<std::string> paths, std::string message, std::string& id,
                                           rules::Duration limit) const {
  std::vector<std::string> arguments{"stash", "push", "--message", message};
  if (!paths.empty()) arguments.emplace_back("--");
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  co_return co_await push_stash(std::move(arguments), id, limit);
}

asio::awaitable<GitDone> GitChanges::stash_files(std::vector<std::string> files, std::string message, std::string& id,
                                                 rules::Duration limit) const {
  std::vector<std::string> arguments{"stash", "push", "--all", "--message", message, "--"};
  for (const std::string& file : files) arguments.push_back(":(top,literal)" + file);
  co_return co_await push_stash(std::move(arguments), id, limit);
}

}  // namespace watcher
