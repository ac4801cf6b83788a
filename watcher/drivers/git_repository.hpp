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

// One working tree, asked and changed through git(1). Git runs as the tree's owner: what it writes stays the owner's,
// so that the next deploy by hand works. The repository's hooks and monitors do not run: they are
// not part of the plan.
class GitRepository {
 public:
  // `started` is told of every git that is run; empty: nobody wants to know.
  // `user`: whom git runs as; empty: the tree's owner. See runs_as().
  GitRepository(std::string dir, std::vector<std::string> paths, std::string user, probes::Started started);

  const std::string& dir() const { return dir_; }
  const std::vector<std::string>& paths() const { return paths_; }
  // Why git cannot be run at all and what to do, for people; empty: it can.
  std::string why_not_ours() const;

  // The commit that HEAD is at.
  asio::awaitable<GitAnswer> head() const;
  // The newest line of HEAD's reflog: when and why HEAD was moved last. Empty where git keeps no reflog.
  asio::awaitable<GitAnswer> last_move() const;
  // The branch that HEAD is on; empty when it is detached.
  asio::awaitable<GitAnswer> branch() const;
  // The full id of the commit that the revision names.
  asio::awaitable<GitAnswer> commit_of(std::string revision) const;
  // Why nothing can be checked out now: a merge, rebase, ... that somebody has begun and not ended, a conflict that is
  // not resolved; empty: nothing is in the way.
  asio::awaitable<GitAnswer> unfinished_operation() const;
  // The lock that another git holds on the index, once it has been there for that long; empty: none.
  asio::awaitable<GitAnswer> lock_held(rules::Duration for_long, rules::Instant now) const;
  // Waits until no other git holds the index; fails at the limit.
  asio::awaitable<GitDone> wait_for_index(rules::Duration limit) const;
  // Whether `paths` are in the index as they are in the commit.
  asio::awaitable<std::variant<bool, GitError>> index_equals(std::string commit) const;
  // A digest of what the index has of `paths`.
  asio::awaitable<GitAnswer> index_digest() const;

  // Changes, tracked and untracked, of `paths` or of the whole tree; also of files that git was told to assume
  // unchanged.
  asio::awaitable<std::variant<bool, GitError>> has_changes() const;
  // Files that are not git's and would have to go for the commit to be checked out, from the top of the tree: ignored
  // here and tracked there. Ask when there are no changes.
  asio::awaitable<std::variant<std::vector<std::string>, GitError>> in_the_way_of(std::string commit) const;
  // Puts them away under that message. Returns the stash's id, empty when there was nothing to stash.
  asio::awaitable<GitAnswer> stash(std::string message, rules::Duration limit) const;
  // The same with files that git does not know.
  asio::awaitable<GitAnswer> stash_files(std::vector<std::string> files, std::string message,
                                         rules::Duration limit) const;
  // Moves HEAD to a commit (detached) or a branch; `reason` is what the reflog says of it. Fails rather than to
  // overwrite a file that is not git's.
  asio::awaitable<GitDone> check_out(std::string commit_or_branch, std::string reason, rules::Duration limit) const;
  // Makes `paths`, in the index and on disk, what they are in the commit; HEAD stays.
  asio::awaitable<GitDone> check_out_paths(std::string commit, rules::Duration limit) const;
  // Goes back to where nothing was local: what a build has changed since gives way.
  asio::awaitable<GitDone> go_back_to(std::string commit_or_branch, std::string reason, rules::Duration limit) const;
  // Whether the commit has submodules.
  asio::awaitable<std::variant<bool, GitError>> has_submodules(std::string commit) const;
  // Makes the submodules, of `paths` or all, those of what is checked out.
  asio::awaitable<GitDone> update_submodules(rules::Duration limit) const;

 private:
  probes::ChildSpec command(std::vector<std::string> arguments, rules::Duration limit) const;
  // What the command printed, whole: names between NUL bytes.
  asio::awaitable<GitAnswer> list(std::vector<std::string> arguments) const;
  asio::awaitable<GitAnswer> push_stash(std::vector<std::string> arguments, rules::Duration limit) const;
  asio::awaitable<GitDone> move_head(std::vector<std::string> arguments, std::string reason,
                                     rules::Duration limit) const;
  asio::awaitable<std::vector<std::string>> changed_paths() const;
  asio::awaitable<GitAnswer> ask(std::vector<std::string> arguments, rules::Duration limit) const;
  std::vector<std::string> with_paths(std::vector<std::string> arguments) const;

  std::string dir_;
  std::vector<std::string> paths_;
  std::string user_;
  probes::Started started_;
};

}  // namespace watcher
