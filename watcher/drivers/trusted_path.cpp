#include "watcher/drivers/trusted_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "watcher/drivers/runs_as.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

constexpr int links_max = 40;  // as the kernel

// Who else may change it.
struct Trusted {
  std::string user;         // as whom it is run, and whose it may be; empty: as ourselves
  bool our_groups = false;  // what a group of ours may write
};

bool is_our_group(gid_t group) {
  if (group == ::getegid()) return true;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int size = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(0, size)));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

std::optional<std::string> unsafe_entry(const std::string& path, const struct stat& found, const Trusted& trusted) {
  const std::string& user = trusted.user;
  const auto is_theirs = [&] { return !user.empty() && account_of(found.st_uid) == user; };
  if (found.st_uid != 0 && found.st_uid != ::geteuid() && !is_theirs()) {
    return path + " belongs to another user (uid " + std::to_string(found.st_uid) + "); chown -h root " + path;
  }
  if (S_ISLNK(found.st_mode)) return std::nullopt;
  const bool sticky = S_ISDIR(found.st_mode) && (found.st_mode & S_ISVTX) != 0;
  if (sticky || (found.st_mode & (S_IWGRP | S_IWOTH)) == 0) return std::nullopt;
  if (trusted.our_groups && (found.st_mode & S_IWOTH) == 0 && is_our_group(found.st_gid)) return std::nullopt;
  return path + " can be written by other users; chmod go-w " + path;
}

// The names of a path still to be walked; a link's stand before what comes after it.
class Way {
 public:
  explicit Way(std::string path) : rest_(std::move(path)) {}

  void prepend(std::string path) {
    rest_ = std::move(path) + '/' + rest_.substr(place_);
    place_ = 0;
  }
  std::optional<std::string_view> next() {
    place_ = std::min(rest_.find_first_not_of('/', place_), rest_.size());
    if (place_ == rest_.size()) return std::nullopt;
    const std::size_t end = std::min(rest_.find('/', place_), rest_.size());
    const std::size_t begin = std::exchange(place_, end);
    return std::string_view(rest_).substr(begin, end - begin);
  }

 private:
  std::string rest_;
  std::size_t place_ = 0;
};

std::optional<std::string> walk(const std::string& path, const Trusted& trusted) {
  std::error_code failure;
  std::string whole = path.starts_with('/') ? path : fs::absolute(path, failure).string();
  if (failure) return std::nullopt;
  Way way(std::move(whole));
  std::string at;  // where it is, without a slash at the end; empty: at the root
  int links = 0;
  struct stat found {};
  if (::lstat("/", &found) != 0) return std::nullopt;
  if (auto unsafe = unsafe_entry("/", found, trusted)) return unsafe;
  while (const std::optional<std::string_view> name = way.next()) {
    if (*name == ".") continue;
    if (*name == "..") {
      at.resize(at.empty() ? 0 : at.rfind('/'));
      continue;
    }
    std::string entry = at + '/';
    entry += *name;
    if (::lstat(entry.c_str(), &found) != 0) return std::nullopt;
    if (auto unsafe = unsafe_entry(entry, found, trusted)) return unsafe;
    if (!S_ISLNK(found.st_mode)) {
      at = std::move(entry);
      continue;
    }
    std::array<char, PATH_MAX> target;
    const ssize_t length = ::readlink(entry.c_str(), target.data(), target.size());
    if (length <= 0 || ++links > links_max) return std::nullopt;
    if (target.front() == '/') at.clear();
    way.prepend(std::string(target.data(), static_cast<std::size_t>(length)));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> changed_by_others(const std::string& path, const std::string& user) {
  return walk(path, {user});
}

std::optional<std::string> led_by_others(const std::string& folder) { return walk(folder, {{}, true}); }

bool read_by_all(const std::string& path) {
  std::error_code failure;
  fs::path at = fs::canonical(path, failure);
  if (failure) return false;
  struct stat found {};
  if (::stat(at.c_str(), &found) != 0 || (found.st_mode & S_IROTH) == 0) return false;
  while (at != at.parent_path()) {
    at = at.parent_path();
    if (::stat(at.c_str(), &found) != 0 || (found.st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

std::optional<std::string> find_command(const std::string& program) {
  const auto runs = [](const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(path.c_str(), X_OK) == 0;
  };
  if (program.find('/') != std::string::npos) return runs(program) ? std::optional(program) : std::nullopt;
  const char* const given = std::getenv("PATH");
  std::string_view rest = given == nullptr ? "/usr/local/bin:/usr/bin:/bin" : given;
  while (true) {
    const std::size_t colon = rest.find(':');
    const std::string folder(rest.substr(0, colon));
    const std::string path = (folder.empty() ? "." : folder) + "/" + program;
    if (runs(path)) return path;
    if (colon == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(colon + 1);
  }
}

std::optional<std::string> run_changed_by_others(const std::vector<std::string>& argv, const std::string& dir,
                                                 const std::string& user, const std::vector<std::string>& env) {
  for (const RunFile& file : files_run_as(argv, dir, user, env)) {
    if (auto unsafe = changed_by_others(file.path, file.user)) return unsafe;
  }
  return std::nullopt;
}

}  // namespace watcher
