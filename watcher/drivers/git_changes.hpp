#pragma once

#include <string>
#include <variant>
#include <vector>

#include "watcher/drivers/git_runner.hpp"

namespace watcher {

// What is local to a working tree, and how it is put away.
class GitChanges {
 public:
  explicit GitChanges(const GitRunner& git) : git_(git) {}  // which must outlive it

  // Changes, tracked and untracked, of `paths` or of the whole tree; also of files that git was told to assume
  // unchanged.
  asio::awaitable<GitYesNo> has_changes() const;
  // Files that are not git's and would have to go for the commit to be checked out, from the top of the tree: ignored
  // here and tracked there. Ask when there are no changes.
  asio::awaitable<std::variant<std::vector<std::string>, GitError>> in_the_way_of(std::string commit) const;
  // Puts the changes away under that message. Returns the stash's id, empty when there was nothing to stash.
  asio::awaitable<GitAnswer> stash(std::string message, rules::Duration limit) const;
  // The same with files that git does not know.
  asio::awaitable<GitAnswer> stash_files(std::vector<std::string> files, std::string message,
                                         rules::Duration limit) const;

 private:
  asio::awaitable<GitAnswer> push_stash(std::vector<std::string> arguments, rules::Duration limit) const;
  asio::awaitable<std::vector<std::string>> changed_paths() const;

  const GitRunner& git_;
};

}  // namespace watcher
