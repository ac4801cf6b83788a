#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "watcher/drivers/git_repository.hpp"

namespace watcher {

// Which of these files git has in what HEAD is at, and not in the commit: a checkout of it takes them away. Those that
// git has not stay, whatever is checked out, and so do those outside of `paths`.
asio::awaitable<std::vector<std::string>> files_lost(const GitRepository& repository, std::string commit,
                                                     std::vector<std::string> files);

}  // namespace watcher
