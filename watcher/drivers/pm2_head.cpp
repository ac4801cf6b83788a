#include "watcher/drivers/pm2_head.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace watcher {

asio::awaitable<std::variant<HeadMoved, GitError>> head_moved(const GitRepository& repository) {
  const auto time_of = [](const timespec& time) {
    return rules::Instant(std::chrono::seconds(time.tv_sec) +
                          std::chrono::duration_cast<rules::Duration>(std::chrono::nanoseconds(time.tv_nsec)));
  };
  std::vector<std::string> where{"rev-parse", "--git-path", "logs/HEAD"};
  const GitAnswer path = co_await repository.git().ask(std::move(where), git_question_limit);
  if (const auto* const error = std::get_if<GitError>(&path)) co_return *error;
  std::string file = std::get<std::string>(path);
  if (!file.starts_with('/')) file.insert(0, repository.git().dir() + "/");
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0)
    co_return GitError{file + " is not there, so that nobody knows when HEAD was moved; do git config " +
                       "core.logAllRefUpdates true, and check out once more"};
  HeadMoved out;
  out.noted = out.told = time_of(found.st_mtim);
  std::vector<std::string> when{"log", "-g", "-1", "--format=%gd", "--date=unix", "HEAD"};
  const GitAnswer told = co_await repository.git().ask(std::move(when), git_question_limit);
  if (const auto* const error = std::get_if<GitError>(&told)) co_return *error;
  const auto& text = std::get<std::string>(told);  // HEAD@{SECONDS}
  const std::size_t brace = text.find('{');
  const long long seconds = brace == std::string::npos ? 0 : std::strtoll(text.c_str() + brace + 1, nullptr, 10);
  if (seconds > 0 && seconds < found.st_mtim.tv_sec) out.told = rules::Instant(std::chrono::seconds(seconds));
  co_return out;
}

}  // namespace watcher
