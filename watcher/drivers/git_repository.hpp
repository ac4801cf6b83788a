#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rules/base/time.hpp"
#include "watcher/drivers/git_runner.hpp"

namespace watcher {

// One working tree, asked and moved through git(1).
class GitRepository {
 public:
  explicit GitRepository(GitRunner git) : git_(std::move(git)) {}

  const GitRunner& git() const { return git_; }
  const std::string& dir() const { return git_.dir(); }
  const std::vector<std::string>& paths() const { return git_.paths(); }
  // Why git cannot be run at all and what to do, for people; empty: it can.
  std::string why_not_ours() const { return git_.why_not_ours(); }

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
  // Either of the two, for people, with what to do; empty: neither.
  asio::awaitable<GitAnswer> why_stuck(rules::Duration held_for, rules::Instant now) const;
  // Waits until no other git holds the index; fails at the limit.
  asio::awaitable<GitDone> wait_for_index(rules::Duration limit) const;
  // Whether `paths` are in the index as they are in the commit.
  asio::awaitable<GitYesNo> index_equals(std::string commit) const;
  // A digest of what the index has of `paths`.
  asio::awaitable<GitAnswer> index_digest() const;

  // Moves HEAD to a commit (detached) or a branch; `reason` is what the reflog says of it. Fails rather than to
  // overwrite a file that is not git's.
  asio::awaitable<GitDone> check_out(std::string commit_or_branch, std::string reason, rules::Duration limit) const;
  // Makes `paths`, in the index and on disk, what they are in the commit; HEAD stays.
  asio::awaitable<GitDone> check_out_paths(std::string commit, rules::Duration limit) const;
  // Goes back to where nothing was local: what a build has changed since gives way.
  asio::awaitable<GitDone> go_back_to(std::string commit_or_branch, std::string reason, rules::Duration limit) const;
  // Whether the commit has submodules.
  asio::awaitable<GitYesNo> has_submodules(std::string commit) const;
  // Makes the submodules, of `paths` or all, those of what is checked out.
  asio::awaitable<GitDone> update_submodules(rules::Duration limit) const;

 private:
  GitRunner git_;
};

}  // namespace watcher
