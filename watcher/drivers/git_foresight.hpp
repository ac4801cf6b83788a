#pragma once

#include <string>

#include "watcher/drivers/git_repository.hpp"

namespace watcher {

// Why a checkout of that commit would fail, for people, with what to do, as far as it can be seen without writing or
// running anything of the repository's: the user whom git runs as may not write where it would have to, or a filter
// that the files need cannot be run. Empty: nothing is known to be in the way.
asio::awaitable<GitAnswer> why_checkout_fails(const GitRepository& repository, std::string commit);

}  // namespace watcher
