#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "probes/net/child.hpp"
#include "rules/base/time.hpp"

namespace watcher {

namespace asio = boost::asio;

// What a git command said, or why it failed: for people.
struct GitError {
  std::string what;
  bool timed_out = false;
  bool called_off = false;
};
using GitAnswer = std::variant<std::string, GitError>;
using GitDone = std::optional<GitError>;  // nullopt: done

// One working tree, asked and changed through git(1). When we are root, git runs as the tree's owner: what it writes
// stays the owner's, so that the next deploy by hand works. The repository's hooks and monitors do not run: they are
// not part of the plan.
class GitRepository {
 public:
  GitRepository(std::string dir, std::vector<std::string> paths);

  const std::string& dir() const { return dir_; }
  const std::vector<std::string>& paths() const { return paths_; }

  // The commit that HEAD is at.
  asio::awaitable<GitAnswer> head() const;
  // The newest line of HEAD's reflog: when and why HEAD was moved last. Empty where git keeps no reflog.
  asio::awaitable<GitAnswer> last_move() const;
  // The branch that HEAD is on; empty when it is detached.
  asio::awaitable<GitAnswer> branch() const;
  // The full id of the commit that the revision names.
  asio::awaitable<GitAnswer> commit_of(std::string revision) const;
  // The merge, rebase, ... that somebody has begun and not ended; empty: none.
  asio::awaitable<GitAnswer> unfinished_operation() const;
  // Whether `paths` are in the index as they are in the commit.
  asio::awaitable<std::variant<bool, GitError>> index_equals(std::string commit) const;
  // A digest of what the index has of `paths`.
  asio::awaitable<GitAnswer> index_digest() const;

  // Changes, tracked and untracked, of `paths` or of the whole tree.
  asio::awaitable<std::variant<bool, GitError>> has_changes() const;
  // Puts them away under that message. Returns the stash's id, empty when there was nothing to stash.
  asio::awaitable<GitAnswer> stash(std::string message, rules::Duration limit) const;
  // Moves HEAD to a commit (detached) or a branch; `reason` is what the reflog says of it. Fails rather than to
  // overwrite a file that is not git's.
  asio::awaitable<GitDone> check_out(std::string commit_or_branch, std::string reason, rules::Duration limit) const;
  // Makes `paths`, in the index and on disk, what they are in the commit; HEAD stays.
  asio::awaitable<GitDone> check_out_paths(std::string commit, rules::Duration limit) const;

 private:
  probes::ChildSpec command(std::vector<std::string> arguments, rules::Duration limit) const;
  asio::awaitable<probes::ChildResult> run(std::vector<std::string> arguments, rules::Duration limit) const;
  asio::awaitable<GitAnswer> ask(std::vector<std::string> arguments, rules::Duration limit) const;
  std::vector<std::string> with_paths(std::vector<std::string> arguments) const;

  std::string dir_;
  std::vector<std::string> paths_;
};

}  // namespace watcher
