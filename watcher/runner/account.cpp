#include "watcher/runner/account.hpp"

#include <pwd.h>

#include <array>

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

}  // namespace watcher
