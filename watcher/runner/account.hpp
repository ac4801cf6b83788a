#pragma once

#include <optional>
#include <string>

namespace watcher {

struct Account {
  unsigned user = 0;
  unsigned group = 0;  // its primary one
};

// nullopt: this host has no user of that name.
std::optional<Account> account_named(const std::string& user);

}  // namespace watcher
