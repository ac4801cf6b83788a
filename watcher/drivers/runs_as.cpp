#include "watcher/drivers/runs_as.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace watcher {

std::string account_of(unsigned uid) {
  constexpr std::size_t passwd_entry_max = 16 * 1024;  // bytes; what sysconf suggests is 1 KiB
  std::array<char, passwd_entry_max> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_name;
}

namespace {

std::string shown_user(uid_t uid) {
  const std::string name = account_of(uid);
  return name.empty() ? "uid " + std::to_string(uid) : name;
}

bool is_change_of_systemctl(const std::string& word) {
  constexpr std::array<std::string_view, 28> verbs{
      "start",   "stop",        "restart",      "reload",       "try-restart",   "reload-or-restart",
      "enable",  "disable",     "reenable",     "preset",       "kill",          "try-reload-or-restart",
      "mask",    "unmask",      "link",         "revert",       "daemon-reload", "daemon-reexec",
      "isolate", "edit",        "set-property", "reset-failed", "clean",         "freeze",
      "thaw",    "set-default", "add-wants",    "add-requires"};
  return std::find(verbs.begin(), verbs.end(), word) != verbs.end();
}

}  // namespace

RunsAs runs_as(const std::string& dir, const std::string& configured) {
  if (!configured.empty()) return {configured, {}};
  struct stat info {};
  // That it is not there is told by whatever is run in it.
  if (::stat(dir.c_str(), &info) != 0 || info.st_uid == ::geteuid()) return {};
  const std::string owner = account_of(info.st_uid);
  const std::string belongs = dir + " belongs to " + shown_user(info.st_uid);
  if (::geteuid() != 0) {
    return {{},
            belongs + " and rollbackd runs as " + shown_user(::geteuid()) +
                "; do run rollbackd as root or as its owner, or chown " + dir};
  }
  if (owner.empty()) return {{}, belongs + ", which has no account; do chown " + dir + ", or say user = \"NAME\""};
  return {owner, {}};
}

std::string name_of(const RunsAs& as) { return as.user.empty() ? shown_user(::geteuid()) : as.user; }

bool may_be_refused(const std::vector<std::string>& argv, const RunsAs& as) {
  if (argv.empty() || std::find(argv.begin(), argv.end(), "--user") != argv.end()) return false;
  const std::string command = argv.front().substr(argv.front().rfind('/') + 1);
  // What only looks is for everybody.
  const bool changes = std::any_of(argv.begin() + 1, argv.end(), is_change_of_systemctl);
  return command == "systemctl" && changes && name_of(as) != "root";
}

}  // namespace watcher
