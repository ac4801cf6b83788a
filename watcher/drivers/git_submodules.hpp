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

// The submodules that the commit has, of the repository's paths or all, as far as they are there and are to be
// updated; the outer ones first.
asio::awaitable<GitSubmodules> submodules_of(const GitRepository& repository, std::string commit);

// Brings the commits that they are to be at, where they lack them, so that what is in the way of those can be seen.
asio::awaitable<GitDone> fetch_lacking(std::vector<GitSubmodule> submodules, rules::Duration limit);

// Makes the submodules, of the repository's paths or all, those of what is checked out; also those that people merge or
// rebase. Whoever wrote `update = none` wants that submodule left alone, here and above.
asio::awaitable<GitDone> update_submodules(GitRunner git, rules::Duration limit);

// Why one of them cannot be switched now, for people: a merge that is under way, an index that is held for at least
// that long. Empty: they can.
asio::awaitable<GitAnswer> why_submodules_are_stuck(std::vector<GitSubmodule> submodules, rules::Duration held_for,
                                                    rules::Instant now);

}  // namespace watcher
