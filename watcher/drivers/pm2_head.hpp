#pragma once

#include <boost/asio/awaitable.hpp>
#include <variant>

#include "watcher/drivers/git_repository.hpp"
#include "watcher/drivers/pm2_processes.hpp"

namespace watcher {

// When HEAD was moved last, by the log that git keeps of it.
asio::awaitable<std::variant<HeadMoved, GitError>> head_moved(const GitRepository& repository);

}  // namespace watcher
