#include "watcher/drivers/git_submodules.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
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

// "submodule.NAME.update\nnone", its words.
struct Setting {
  std::string name;
  std::string key;
  std::string value;
};

std::vector<Setting> settings_in(const std::string& listing) {
  std::vector<Setting> out;
  for (const std::string& line : names_in(listing)) {
    const std::size_t end = line.find('\n');
    const std::string name = line.substr(0, end);
    const std::size_t first = name.find('.');
    const std::size_t last = name.rfind('.');
    if (end == std::string::npos || first == last) continue;
    out.push_back({name.substr(first + 1, last - first - 1), name.substr(last + 1), line.substr(end + 1)});
  }
  return out;
}

// Empty when nothing is said.
asio::awaitable<GitAnswer> ask_settings(GitRunner git, std::vector<std::string> where) {
  std::vector<std::string> arguments{"config", "-z"};
  arguments.insert(arguments.end(), where.begin(), where.end());
  arguments.insert(arguments.end(), {"--get-regexp", "^submodule[.].*[.](path|update)$"});
  GitAnswer answer = co_await git.list(std::move(arguments));
  const auto* const error = std::get_if<GitError>(&answer);
  if (error != nullptr && !error->timed_out && !error->called_off) co_return std::string();
  co_return answer;
}

// The paths of those that are to be left alone. What the repository itself says counts more than what came with it.
asio::awaitable<GitFiles> left_alone(GitRunner git, std::string commit) {
  std::vector<std::string> blob{"--blob", commit + ":.gitmodules"};
  const GitAnswer came = co_await ask_settings(git, std::move(blob));
  if (const auto* const error = std::get_if<GitError>(&came)) co_return *error;
  std::vector<std::string> nowhere_else;
  const GitAnswer own = co_await ask_settings(git, std::move(nowhere_else));
  if (const auto* const error = std::get_if<GitError>(&own)) co_return *error;
  std::map<std::string, std::string> paths;
  std::map<std::string, std::string> updates;
  for (const Setting& setting : settings_in(std::get<std::string>(came))) {
    (setting.key == "path" ? paths : updates)[setting.name] = setting.value;
  }
  for (const Setting& setting : settings_in(std::get<std::string>(own))) {
    if (setting.key == "update") updates[setting.name] = setting.value;
  }
  std::vector<std::string> out;
  for (const auto& [name, path] : paths) {
    if (updates[name] == "none") out.push_back(path);
  }
  co_return out;
}

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Paths are said from the folder on; without any, the whole tree is meant.
asio::awaitable<GitAnswer> go_to_top(GitRunner& git) {
  if (!git.paths().empty()) co_return std::string();
  GitAnswer up = co_await git.way_up();
  const auto* const way = std::get_if<std::string>(&up);
  if (way != nullptr && !way->empty()) git = git.inside(*way);
  co_return up;
}

// Those of one repository that are there, by what `git ls-tree -z` says: "160000 commit ID\tPATH".
void append_links(const GitRunner& git, const std::string& listing, const std::vector<std::string>& alone,
                  std::vector<GitSubmodule>& out) {
  constexpr std::string_view kind = "160000 commit ";
  for (const std::string& line : names_in(listing)) {
    const std::size_t tab = line.find('\t');
    if (!line.starts_with(kind) || tab == std::string::npos) continue;
    if (is_among(alone, line.substr(tab + 1))) continue;
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
  if (git.paths().empty()) arguments.emplace_back("--full-tree");
  const GitAnswer up = co_await go_to_top(git);
  if (const auto* const error = std::get_if<GitError>(&up)) co_return *error;
  const GitFiles alone = co_await left_alone(git, commit);
  if (const auto* const error = std::get_if<GitError>(&alone)) co_return *error;
  arguments.push_back(std::move(commit));
  std::vector<std::string> limited = git.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&listing)) co_return *error;
  append_links(git, std::get<std::string>(listing), std::get<std::vector<std::string>>(alone), out);
  co_return GitDone();
}

// The links of the index that are to be followed.
asio::awaitable<GitFiles> wanted_in(GitRunner git) {
  const GitFiles alone = co_await left_alone(git, "");
  if (alone.index() != 0) co_return alone;
  std::vector<std::string> arguments{"ls-files", "--stage", "-z"};
  std::vector<std::string> limited = git.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git.list(std::move(limited));
  if (const auto* const error = std::get_if<GitError>(&listing)) co_return *error;
  std::vector<std::string> out;
  for (const std::string& line : names_in(std::get<std::string>(listing))) {
    const std::size_t tab = line.find('\t');
    if (!line.starts_with("160000 ") || tab == std::string::npos) continue;
    const std::string name = line.substr(tab + 1);
    if (!is_among(std::get<std::vector<std::string>>(alone), name)) out.push_back(name);
  }
  co_return out;
}

asio::awaitable<GitDone> update_those(GitRunner git, std::vector<std::string> wanted, rules::Duration limit) {
  std::vector<std::string> init_arguments{"submodule", "--quiet", "init"};
  std::vector<std::string> init = git.with_paths(std::move(init_arguments));
  const GitAnswer known = co_await git.ask(std::move(init), limit);
  if (const auto* const error = std::get_if<GitError>(&known)) co_return *error;
  std::vector<std::string> arguments{"submodule", "update", "--checkout", "--"};
  arguments.insert(arguments.end(), wanted.begin(), wanted.end());
  const GitAnswer done = co_await git.ask(std::move(arguments), limit);
  if (const auto* const error = std::get_if<GitError>(&done)) co_return *error;
  co_return GitDone();
}

}  // namespace

asio::awaitable<GitDone> fetch_lacking(std::vector<GitSubmodule> submodules, rules::Duration limit) {
  for (const GitSubmodule& submodule : submodules) {
    const GitRepository inside(submodule.git);
    const GitAnswer known = co_await inside.commit_of(submodule.commit);
    const auto* const unknown = std::get_if<GitError>(&known);
    if (unknown == nullptr) continue;
    if (unknown->timed_out || unknown->called_off) co_return *unknown;
    // As `git submodule update` does it: first what is new, then the commit by its name, which not every server gives.
    std::vector<std::string> fetch{"fetch", "--quiet", "--no-recurse-submodules", "origin"};
    co_await submodule.git.ask(fetch, limit);
    const GitAnswer came = co_await inside.commit_of(submodule.commit);
    if (came.index() == 0) continue;
    fetch.push_back(submodule.commit);
    const GitAnswer fetched = co_await submodule.git.ask(std::move(fetch), limit);
    if (const auto* const error = std::get_if<GitError>(&fetched)) co_return *error;
  }
  co_return GitDone();
}

// By ourselves rather than by --recursive: --checkout would be for those, too, that are to be left alone.
asio::awaitable<GitDone> update_submodules(GitRunner git, rules::Duration limit) {
  const GitAnswer up = co_await go_to_top(git);
  if (const auto* const error = std::get_if<GitError>(&up)) co_return *error;
  std::vector<GitRunner> all;
  all.push_back(std::move(git));
  for (std::size_t next = 0; next < all.size() && next <= submodules_max; ++next) {
    const GitRunner here = all[next];
    const GitFiles wanted = co_await wanted_in(here);
    if (const auto* const error = std::get_if<GitError>(&wanted)) co_return *error;
    const auto& names = std::get<std::vector<std::string>>(wanted);
    if (names.empty()) continue;
    GitDone failed = co_await update_those(here, names, limit);
    if (failed) co_return failed;
    for (const std::string& name : names) {
      GitRunner inside = here.inside(name);
      if (is_there(inside.dir())) all.push_back(std::move(inside));
    }
  }
  co_return GitDone();
}

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
