#include "watcher/config/permissions.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>

#include "watcher/drivers/runs_as.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

// `user`: as whom it is run; empty: as ourselves. What is that user's own, that user may change.
std::optional<std::string> unsafe_entry(const std::string& path, const std::string& user) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  const bool theirs = !user.empty() && account_of(found.st_uid) == user;
  if (found.st_uid != 0 && found.st_uid != geteuid() && !theirs) {
    return path + " belongs to another user (uid " + std::to_string(found.st_uid) + "); chown root " + path;
  }
  const bool sticky = S_ISDIR(found.st_mode) && (found.st_mode & S_ISVTX) != 0;
  if (sticky || (found.st_mode & (S_IWGRP | S_IWOTH)) == 0) return std::nullopt;
  return path + " can be written by other users; chmod go-w " + path;
}

// `rollback` is the short word for `switch`.
std::string long_word(const std::string& owner) {
  constexpr std::string_view short_word = ".rollback";
  if (!owner.starts_with("service.") || !owner.ends_with(short_word)) return owner;
  return owner.substr(0, owner.size() - short_word.size()) + ".switch";
}

}  // namespace

std::optional<std::string> writable_by_others(const std::string& path, const std::string& user) {
  std::error_code failure;
  const fs::path real = fs::canonical(path, failure);
  if (failure) return std::nullopt;
  for (fs::path entry = real;; entry = entry.parent_path()) {
    if (auto unsafe = unsafe_entry(entry.string(), user)) return unsafe;
    if (entry == entry.parent_path()) return std::nullopt;
  }
}

std::optional<std::string> find_command(const std::string& program) {
  const auto runs = [](const std::string& path) {
    std::error_code failure;
    return fs::is_regular_file(path, failure) && access(path.c_str(), X_OK) == 0;
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

void check_permissions(Loading& loading, const std::string& config_path) {
  if (const auto unsafe = writable_by_others(config_path, "")) {
    loading.findings.error({}, "other users could change this configuration: " + *unsafe);
  }
  std::map<std::string, std::string> users;
  for (const NamedCommand& command : commands_of(loading.config)) {
    users[command.owner] = runs_as(command.whom.dir, command.whom.user).user;
  }
  for (const PlacedCommand& command : loading.commands) {
    const auto known = users.find(long_word(command.owner));
    const std::string user = known == users.end() ? "" : known->second;
    const std::optional<std::string> file = find_command(command.program);
    if (!file) continue;
    if (const auto unsafe = writable_by_others(*file, user)) {
      loading.findings.error(command.place, command.owner + ": other users could change this command: " + *unsafe);
    }
  }
}

}  // namespace watcher
