#pragma once

#include <string>
#include <vector>

#include "watcher/drivers/git_repository.hpp"

namespace watcher {

// Why a checkout of that commit would fail, for people, with what to do, as far as it can be seen without writing or
// running anything of the repository's: the user whom git runs as may not write where it would have to, or a filter
// that the files need cannot be run. Empty: nothing is known to be in the way.
asio::awaitable<GitAnswer> why_checkout_fails(const GitRepository& repository, std::string commit);

// Why git, run as that user (empty: as ourselves), could not put those files away, by their names below `top`: it has
// to read them and to remove them from their folders. For people, with what to do; empty: nothing is known to be in the
// way.
std::string why_not_put_away(const std::string& top, std::vector<std::string> names, const std::string& user);

}  // namespace watcher
