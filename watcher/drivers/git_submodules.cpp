#include "watcher/drivers/git_submodules.hpp"

#include <sys/stat.h>

#include <string_view>
#include <utility>

#include "watcher/drivers/git_in_the_way.hpp"

namespace watcher {

namespace {

constexpr std::size_t submodules_max = 1000;  // that are looked into; the largest projects have some hundred

bool is_there(const std::string& dir) {
  struct stat info {};
  return ::stat((dir + "/.git").c_str(), &info) == 0;
}

// Those of one repository that are there, by what `git ls-tree -z` says: "160000 commit ID\tPATH".
void append_links(const GitRunner& git, const std::string& listing, std::vector<GitSubmodule>& out) {
  constexpr std::string_view kind = "160000 commit ";
  for (const std::string& line : names_in(listing)) {
    const std::size_t tab = line.find('\t');
    if (!line.starts_with(kind) || tab == std::string::npos) continue;
    GitRunner inside = git.inside(line.substr(tab + 1));
    if (is_there(inside.dir())) out.push_back({std::move(inside), line.substr(kind.size(), tab - kind.size())});
  }
}

asio::awaitable<GitDone> append_submodules(GitRunner git, std::string commit, std::vector<GitSubmodule>& out) {
  const GitRepository repository(git);
  const auto some = co_await repository.has_submodules(commit);
  if (const auto* const error = std::get_if<GitError>(&some)) co_return *error;
  if (!std::get<bool>(some)) co_return GitDone();
  std::vector<std::string> arguments{"ls-tree", "-r", "-z"};
  if (git.paths().empty()) {
    arguments.emplace_back("--full-tree");
    std::vector<std::string> up_arguments{"rev-parse", "--show-cdup"};
    const GitAnswer up = co_await git.ask(std::move(up_arguments), git_question_limit);
    if (const auto* const error = std::get_if<GitError>(&up)) co_return *error;
    if (!std::get<std::string>(up).empty()) git = git.inside(std::get<std::string>(up));
  }
  arguments.push_back(std::move(commit));
  std::vector<std::string> limited = git.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&listing)) co_return *error;
  append_links(git, std::get<std::string>(listing), out);
  co_return GitDone();
}

}  // namespace

asio::awaitable<GitSubmodules> submodules_of(const GitRepository& repository, std::string commit) {
  std::vector<GitSubmodule> found;
  GitDone failed = co_await append_submodules(repository.git(), std::move(commit), found);
  if (failed) co_return *failed;
  for (std::size_t next = 0; next < found.size(); ++next) {
    if (found.size() > submodules_max) co_return GitError{repository.dir() + " has too many submodules"};
    const GitSubmodule submodule = found[next];
    // Of a commit that is still to be fetched nobody knows what is in it.
    const GitRepository inside(submodule.git);
    const GitAnswer known = co_await inside.commit_of(submodule.commit);
    if (known.index() != 0) continue;
    failed = co_await append_submodules(submodule.git, submodule.commit, found);
    if (failed) co_return *failed;
  }
  co_return found;
}

asio::awaitable<GitAnswer> why_submodules_are_stuck(std::vector<GitSubmodule> submodules, rules::Duration held_for,
                                                    rules::Instant now) {
  for (const GitSubmodule& submodule : submodules) {
    const GitRepository inside(submodule.git);
    const GitAnswer stuck = co_await inside.why_stuck(held_for, now);
    const auto* const reason = std::get_if<std::string>(&stuck);
    if (reason == nullptr || !reason->empty()) co_return stuck;
  }
  co_return std::string();
}

}  // namespace watcher
