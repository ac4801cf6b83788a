#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "watcher/drivers/git_changes.hpp"
#include "watcher/drivers/git_in_the_way.hpp"

// What is hidden from git, and how a tree gets back all that was local to it.

namespace watcher {

namespace {

constexpr std::size_t hidden_max = 1000;      // files; more are no exceptions, and no command line holds them
constexpr const char* copied = ".rollbackd";  // what the copy of the index is called beyond its own name

}  // namespace

asio::awaitable<GitDone> GitChanges::change_index(std::string how, std::vector<std::string> files,
                                                  rules::Duration limit) const {
  const GitAnswer up = co_await git_.way_up();
  if (const auto* const error = std::get_if<GitError>(&up)) co_return *error;
  const std::string& way = std::get<std::string>(up);
  const GitRunner top = way.empty() ? git_ : git_.inside(way);
  std::vector<std::string> arguments{"update-index", "-q", how, "--"};
  arguments.insert(arguments.end(), files.begin(), files.end());
  const GitAnswer done = co_await top.ask(std::move(arguments), limit);
  if (const auto* const error = std::get_if<GitError>(&done)) co_return *error;
  co_return GitDone();
}

// Those that are not there are what a sparse checkout leaves out.
asio::awaitable<GitDone> GitChanges::show_hidden(rules::Duration limit) const {
  std::vector<std::string> arguments{"ls-files", "-v", "--full-name", "-z"};
  std::vector<std::string> limited = git_.with_paths(std::move(arguments));
  if (git_.paths().empty()) limited.insert(limited.end(), {"--", ":/"});
  const GitAnswer listing = co_await git_.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&listing)) co_return *error;
  const GitAnswer up = co_await git_.way_up();
  if (const auto* const error = std::get_if<GitError>(&up)) co_return *error;
  std::vector<std::string> hidden;
  for (const std::string& line : names_in(std::get<std::string>(listing))) {
    if (!line.starts_with("S ") && !line.starts_with("s ")) continue;
    struct stat info {};
    const std::string file = line.substr(2);
    if (::lstat((git_.dir() + "/" + std::get<std::string>(up) + file).c_str(), &info) == 0) hidden.push_back(file);
  }
  if (hidden.empty()) co_return GitDone();
  if (hidden.size() > hidden_max) {
    co_return GitError{git_.dir() + ": git was told to skip more than " + std::to_string(hidden_max) +
                       " files that are there; do say git update-index --no-skip-worktree to it"};
  }
  GitDone failed = co_await change_index("--no-skip-worktree", hidden, limit);
  if (failed) co_return failed;
  std::vector<std::string> refresh{"update-index", "-q", "--really-refresh"};
  co_await git_.ask(std::move(refresh), git_scan_limit);
  std::vector<std::string> question{"diff-files", "--name-only", "-z"};
  const GitAnswer answer = co_await git_.list(std::move(question));
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  const std::vector<std::string> changed = names_in(std::get<std::string>(answer));
  std::erase_if(hidden, [&changed](const std::string& file) {
    return std::find(changed.begin(), changed.end(), file) != changed.end();
  });
  if (hidden.empty()) co_return GitDone();
  co_return co_await change_index("--skip-worktree", hidden, limit);
}

asio::awaitable<GitAnswer> GitChanges::index_path() const {
  std::vector<std::string> arguments{"rev-parse", "--absolute-git-dir"};
  GitAnswer answer = co_await git_.ask(std::move(arguments), git_question_limit);
  if (auto* const git_dir = std::get_if<std::string>(&answer)) *git_dir += "/index";
  co_return answer;
}

asio::awaitable<GitDone> GitChanges::keep_index(rules::Duration limit) const {
  const GitAnswer path = co_await index_path();
  if (const auto* const error = std::get_if<GitError>(&path)) co_return *error;
  const std::string& index = std::get<std::string>(path);
  std::vector<std::string> copy{"cp", "-p", "--", index, index + copied};
  co_return co_await git_.run(std::move(copy), limit);
}

asio::awaitable<GitDone> GitChanges::drop_kept_index() const {
  const GitAnswer path = co_await index_path();
  if (const auto* const error = std::get_if<GitError>(&path)) co_return *error;
  std::vector<std::string> remove{"rm", "-f", "--", std::get<std::string>(path) + copied};
  co_return co_await git_.run(std::move(remove), git_question_limit);
}

asio::awaitable<GitDone> GitChanges::give_index_back(rules::Duration limit) const {
  const GitAnswer path = co_await index_path();
  if (const auto* const error = std::get_if<GitError>(&path)) co_return *error;
  const std::string& index = std::get<std::string>(path);
  std::vector<std::string> move{"mv", "-f", "--", index + copied, index};
  GitDone failed = co_await git_.run(std::move(move), limit);
  if (failed) co_return failed;
  // The files are as it says, but written anew: scripts that ask git without this would be told of changes.
  std::vector<std::string> refresh{"update-index", "-q", "--refresh"};
  co_await git_.ask(std::move(refresh), git_scan_limit);
  co_return GitDone();
}

asio::awaitable<GitDone> GitChanges::give_files_back(std::string stash, std::vector<std::string> paths,
                                                     rules::Duration limit) const {
  std::vector<std::string> arguments{"restore", "--source=" + stash, "--worktree", "--"};
  if (paths.empty()) arguments.emplace_back(":/");
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  const GitAnswer done = co_await git_.ask(std::move(arguments), limit);
  if (const auto* const error = std::get_if<GitError>(&done)) co_return *error;
  co_return GitDone();
}

asio::awaitable<GitDone> GitChanges::apply(std::string stash, rules::Duration limit) const {
  std::vector<std::string> arguments{"stash", "apply", "--quiet", stash};
  const GitAnswer done = co_await git_.ask(std::move(arguments), limit);
  if (const auto* const error = std::get_if<GitError>(&done)) co_return *error;
  co_return GitDone();
}

}  // namespace watcher
