#include "watcher/drivers/git_locks.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string_view>

namespace watcher {

namespace {

bool is_held(const std::string& lock, rules::Duration for_long, rules::Instant now) {
  struct stat info {};
  return ::stat(lock.c_str(), &info) == 0 &&
         now - rules::from_unix_seconds(static_cast<double>(info.st_mtime)) >= for_long;
}

std::string line_of(const std::string& path) {
  std::string line;
  std::ifstream in(path);
  std::getline(in, line);
  return line;
}

// Where the references are: of a tree that `git worktree` made, elsewhere.
std::string common_dir(const std::string& git_dir) {
  const std::string named = line_of(git_dir + "/commondir");
  return named.empty() ? git_dir : (std::filesystem::path(git_dir) / named).lexically_normal().string();
}

}  // namespace

std::string lock_on_checkout(const std::string& git_dir, rules::Duration for_long, rules::Instant now) {
  for (const char* const name : {"/index.lock", "/HEAD.lock"}) {
    if (is_held(git_dir + name, for_long, now)) return git_dir + name;
  }
  return {};
}

std::string lock_on_stash(const std::string& git_dir, rules::Duration for_long, rules::Instant now) {
  const std::string refs = common_dir(git_dir) + "/";
  if (is_held(refs + "refs/stash.lock", for_long, now)) return refs + "refs/stash.lock";
  // A stash moves the branch to where it is.
  constexpr std::string_view on_a_branch = "ref: ";
  const std::string head = line_of(git_dir + "/HEAD");
  if (!head.starts_with(on_a_branch)) return {};
  const std::string lock = refs + head.substr(on_a_branch.size()) + ".lock";
  return is_held(lock, for_long, now) ? lock : std::string();
}

}  // namespace watcher
