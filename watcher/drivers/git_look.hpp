#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "watcher/drivers/git_repository.hpp"
#include "watcher/drivers/git_state.hpp"

namespace watcher {

// What is checked out and what runs, as far as the repository and our own notes say.
struct GitLook {
  std::string error;              // for people; empty: all below is known
  std::string head;               // the commit that HEAD is at
  std::optional<GitPlace> place;  // the tree is where we left it
  std::string revision;           // what runs; empty: a restart was begun and has not completed
};

// The revision is HEAD, unless the tree is where we left it: then it is what we noted to run there. A partial rollback
// by somebody else is HEAD-paths-DIGEST. Whoever deploys moves HEAD, and from then on HEAD counts.
asio::awaitable<GitLook> look_at(const GitRepository& repository, GitState state);

}  // namespace watcher
