#pragma once

#include <string>
#include <variant>
#include <vector>

#include "watcher/drivers/git_repository.hpp"

namespace watcher {

// A submodule that is there, also one inside another.
struct GitSubmodule {
  GitRunner git;
  std::string commit;  // that it is to be at
};
using GitSubmodules = std::variant<std::vector<GitSubmodule>, GitError>;

// The submodules that the commit has, of the repository's paths or all, as far as they are there; the outer ones first.
asio::awaitable<GitSubmodules> submodules_of(const GitRepository& repository, std::string commit);

// Why one of them cannot be switched now, for people: a merge that is under way, an index that is held for at least
// that long. Empty: they can.
asio::awaitable<GitAnswer> why_submodules_are_stuck(std::vector<GitSubmodule> submodules, rules::Duration held_for,
                                                    rules::Instant now);

}  // namespace watcher
