#include "watcher/drivers/git_files_lost.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <variant>

namespace watcher {

namespace {

namespace fs = std::filesystem;

// Below that folder, whatever links lead there; empty: it is not.
std::string below(const fs::path& folder, const fs::path& file) {
  std::error_code error;
  const fs::path top = fs::weakly_canonical(folder, error);
  const fs::path parent = fs::weakly_canonical(file.parent_path(), error);
  if (error) return "";
  const std::string way = (parent / file.filename()).lexically_relative(top).string();
  return way.starts_with("..") ? "" : way;
}

bool is_switched(const GitRepository& repository, const std::string& file) {
  if (repository.paths().empty()) return true;
  return std::any_of(repository.paths().begin(), repository.paths().end(), [&](const std::string& path) {
    const fs::path whole = fs::path(repository.dir()) / path;
    return !below(whole, file).empty() || fs::path(file).lexically_normal() == whole.lexically_normal();
  });
}

enum class Has { yes, no, unknown };

asio::awaitable<Has> has(const GitRepository& repository, std::string file_of_commit) {
  std::vector<std::string> question{"cat-file", "-e", std::move(file_of_commit)};
  const GitAnswer answer = co_await repository.git().ask(std::move(question), git_question_limit);
  const auto* const error = std::get_if<GitError>(&answer);
  if (error == nullptr) co_return Has::yes;
  co_return error->timed_out || error->called_off ? Has::unknown : Has::no;
}

}  // namespace

asio::awaitable<std::vector<std::string>> files_lost(const GitRepository& repository, std::string commit,
                                                     std::vector<std::string> files) {
  std::vector<std::string> lost;
  std::vector<std::string> question{"rev-parse", "--show-toplevel"};
  const GitAnswer answer = co_await repository.git().ask(std::move(question), git_question_limit);
  const auto* const top = std::get_if<std::string>(&answer);
  const GitAnswer known = co_await repository.commit_of(commit);
  if (top == nullptr || std::get_if<std::string>(&known) == nullptr) co_return lost;
  for (std::string& file : files) {
    const std::string way = below(*top, file);
    if (way.empty() || !is_switched(repository, file)) continue;
    const Has there = co_await has(repository, commit + ":" + way);
    if (there != Has::no) continue;
    const Has here = co_await has(repository, "HEAD:" + way);
    if (here == Has::yes) lost.push_back(std::move(file));
  }
  co_return lost;
}

}  // namespace watcher
