#pragma once

#include <string>
#include <variant>
#include <vector>

#include "watcher/drivers/git_runner.hpp"

namespace watcher {

using GitFiles = std::variant<std::vector<std::string>, GitError>;

// What is local to a working tree, and how it is put away.
class GitChanges {
 public:
  explicit GitChanges(const GitRunner& git) : git_(git) {}  // which must outlive it

  // Changes of what is tracked, of `paths` or of the whole tree; also of files that git was told to assume unchanged.
  asio::awaitable<GitYesNo> has_changes() const;
  // Files that are not git's and would be overwritten when what is tracked becomes as in the commit, from the top of
  // the tree: new or ignored here and tracked there. Ask when there are no changes.
  asio::awaitable<GitFiles> in_the_way_of(std::string commit) const;
  // The same for a stash, which makes what is tracked as in HEAD.
  asio::awaitable<GitFiles> in_the_way_of_head() const;
  // Makes them git's own, for a stash to hold them too.
  asio::awaitable<GitDone> track(std::vector<std::string> files, rules::Duration limit) const;
  // Submodules of which another commit is staged; a stash does not hold that.
  asio::awaitable<GitFiles> staged_submodules() const;
  asio::awaitable<GitDone> unstage(std::vector<std::string> files, rules::Duration limit) const;
  // Puts the changes away, and leaves what is not tracked where it is, under that message. Returns the stash's id,
  // empty when there was nothing to stash.
  asio::awaitable<GitAnswer> stash(std::string message, rules::Duration limit) const;
  // The same with files that git does not know.
  asio::awaitable<GitAnswer> stash_files(std::vector<std::string> files, std::string message,
                                         rules::Duration limit) const;

 private:
  asio::awaitable<GitDone> change(std::vector<std::string> arguments, std::vector<std::string> files,
                                  rules::Duration limit) const;
  asio::awaitable<GitFiles> others_where(std::vector<std::string> coming_arguments) const;
  asio::awaitable<GitAnswer> push_stash(std::vector<std::string> arguments, rules::Duration limit) const;
  asio::awaitable<std::vector<std::string>> changed_paths() const;

  const GitRunner& git_;
};

}  // namespace watcher
