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

// Makes the process that user's, with his groups, for good; whoever is not root stays who he is. What went wrong, for
// people; nothing: it did not.
std::optional<std::string> become(const std::string& user);

}  // namespace watcher
