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

// What a partial tree was called last. Finding the name again may take a walk through the history.
struct GitNamed {
  std::string head;
  std::string digest;  // of what the index has of the paths
  std::string revision;
};

// The revision is HEAD, unless the tree is where we left it: then it is what we noted to run there. Whoever deploys
// moves HEAD, and from then on HEAD counts. Of a part of a tree it is the commit that its content came from, by what
// the index has of it: the newest that changed the paths, or an earlier one that somebody has returned to by hand;
// content that no recent commit has is COMMIT-paths-DIGEST. Commits that leave the paths alone change nothing.
asio::awaitable<GitLook> look_at(const GitRepository& repository, GitState state, GitNamed& named);

}  // namespace watcher
