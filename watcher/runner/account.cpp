#include "watcher/runner/account.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace watcher {

std::optional<Account> account_named(const std::string& user) {
  constexpr std::size_t entry_max = 16 * 1024;  // bytes
  std::array<char, entry_max> room{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  ::getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) return std::nullopt;
  return Account{found->pw_uid, found->pw_gid};
}

std::optional<std::string> become(const std::string& user) {
  if (::geteuid() != 0) return std::nullopt;
  const std::optional<Account> account = account_named(user);
  if (!account) return "there is no user " + user + "; create it, or name another as watcher.runner_user";
  const bool is_done =
      ::initgroups(user.c_str(), account->group) == 0 && ::setgid(account->group) == 0 && ::setuid(account->user) == 0;
  if (is_done) return std::nullopt;
  return "become user " + user + ": " + std::strerror(errno) + "; do run it as that user";
}

}  // namespace watcher
