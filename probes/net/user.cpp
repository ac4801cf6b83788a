#include "probes/net/user.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "probes/net/runnable.hpp"

namespace probes {

namespace {

constexpr const char* setpriv = "/usr/bin/setpriv";
constexpr std::size_t passwd_entry_max = 16 * 1024;  // bytes; what sysconf suggests is 1 KiB

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
};

std::optional<Account> account_of(const std::string& user) {
  std::array<char, passwd_entry_max> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0 || found == nullptr) return std::nullopt;
  return Account{found->pw_uid, found->pw_gid, found->pw_dir};
}

// setpriv says exit code 127 for a missing command, which a command may say too: look before.
bool command_exists(const std::string& command, const std::string& dir) {
  if (command.find('/') == std::string::npos) return is_in_path(command);
  const bool relative = command.front() != '/' && !dir.empty();
  return is_runnable(relative ? dir + "/" + command : command);
}

}  // namespace

AsUser as_user_of(const ChildSpec& spec) {
  AsUser as{spec.argv, spec.env, {}, false};
  if (spec.user.empty()) return as;
  const std::string attempt = "run " + spec.argv.front() + " as " + spec.user + ": ";
  const std::optional<Account> account = account_of(spec.user);
  if (!account) {
    as.error = attempt + "no such user";
  } else if (account->uid == geteuid()) {
    return as;
  } else if (geteuid() != 0) {
    as.error = attempt + "only root can run commands as somebody else";
  } else if (!is_runnable(setpriv)) {
    as.error = attempt + setpriv + " is missing; install util-linux";
  } else if (!command_exists(spec.argv.front(), spec.dir)) {
    as.error = attempt + "no such command";
    as.command_missing = true;
  }
  if (!as.error.empty()) return as;
  as.argv = {setpriv, "--reuid=" + std::to_string(account->uid), "--regid=" + std::to_string(account->gid)};
  as.argv.insert(as.argv.end(), {"--init-groups", "--"});
  as.argv.insert(as.argv.end(), spec.argv.begin(), spec.argv.end());
  as.env.try_emplace("HOME", account->home);
  as.env.try_emplace("USER", spec.user);
  as.env.try_emplace("LOGNAME", spec.user);
  return as;
}

std::string wrong_user(const std::string& user) {
  if (user.empty()) return "is empty; leave it out";
  if (account_of(user)) return {};
  return "there is no user \"" + user + "\" on this host; create it, or name another";
}

}  // namespace probes
