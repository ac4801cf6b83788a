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

  // What git says of what is tracked, of `paths` or of the whole tree: the same text, the same changes.
  asio::awaitable<GitAnswer> status() const;
  // Whether what is tracked is, in the index and on disk, otherwise than in the commit.
  asio::awaitable<GitYesNo> differs_from(std::string commit) const;
  // What is tracked, here or in the commit, and is on disk or in the index otherwise than there; from the top.
  asio::awaitable<GitFiles> differing_from(std::string commit) const;
  // Files that git was told to skip, which it would overwrite, are not skipped any more where they have changes.
  asio::awaitable<GitDone> show_hidden(rules::Duration limit) const;
  // A copy of the index, beside it, and the way back to it.
  asio::awaitable<GitDone> keep_index(rules::Duration limit) const;
  asio::awaitable<GitDone> give_index_back(rules::Duration limit) const;
  asio::awaitable<GitDone> drop_kept_index() const;
  // Makes what is tracked on disk what the stash has of it, of those paths or (none) the whole tree.
  asio::awaitable<GitDone> give_files_back(std::string stash, std::vector<std::string> paths,
                                           rules::Duration limit) const;
  asio::awaitable<GitDone> apply(std::string stash, rules::Duration limit) const;
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
  // Files that were made known to git by name alone, which no stash could hold.
  asio::awaitable<GitFiles> intended() const;
  // Those of `paths` that have changes: a path that nothing is known of would make git refuse them all.
  asio::awaitable<std::vector<std::string>> changed_paths() const;
  // Puts the changes of those paths (none: all) away, and leaves what is not tracked where it is, under that message.
  // `id` becomes the stash's, also when it was made and git failed thereafter; empty when there was nothing to stash.
  asio::awaitable<GitDone> stash(std::vector<std::string> paths, std::string message, std::string& id,
                                 rules::Duration limit) const;
  // The same with files that git does not know.
  asio::awaitable<GitDone> stash_files(std::vector<std::string> files, std::string message, std::string& id,
                                       rules::Duration limit) const;

 private:
  asio::awaitable<GitDone> change(std::vector<std::string> arguments, std::vector<std::string> files,
                                  rules::Duration limit) const;
  asio::awaitable<GitFiles> others_where(std::vector<std::string> coming_arguments) const;
  asio::awaitable<GitDone> push_stash(std::vector<std::string> arguments, std::string& id, rules::Duration limit) const;
  asio::awaitable<GitDone> change_index(std::string how, std::vector<std::string> files, rules::Duration limit) const;
  asio::awaitable<GitAnswer> index_path() const;
  asio::awaitable<GitFiles> submodules_in(std::vector<std::string> links) const;

  const GitRunner& git_;
};

}  // namespace watcher
