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
  // See GitRunner.
  void be_patient(bool is_patient) { git_.be_patient(is_patient); }
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
  // Why nothing can be checked out now, for people, with what to do: a merge, rebase, ... that somebody has begun and
  // not ended, a conflict that is not resolved, a lock that has been there for that long; empty: nothing is in the way.
  asio::awaitable<GitAnswer> why_stuck(rules::Duration held_for, rules::Instant now) const;
  // Waits until no other git holds the index or HEAD; fails at the limit.
  asio::awaitable<GitDone> wait_for_index(rules::Duration limit) const;
  // Fails when one of `paths` is neither in the index nor in the commit: nothing would be checked out.
  asio::awaitable<GitDone> knows_paths(std::string commit) const;
  // Whether `paths` are in the index as they are in the commit.
  asio::awaitable<GitYesNo> index_equals(std::string commit) const;
  // The newest commits up to that one that changed `paths`, newest first, at most so many.
  asio::awaitable<GitFiles> changes_up_to(std::string commit, int count) const;
  // A digest of what the index has of `paths`.
  asio::awaitable<GitAnswer> index_digest() const;

  // Moves HEAD to a commit (detached) or a branch; `reason` is what the reflog says of it. Fails rather than to
  // overwrite a file that is not git's.
  asio::awaitable<GitDone> check_out(std::string commit_or_branch, std::string reason, rules::Duration limit) const;
  // Makes `paths`, in the index and on disk, what they are in the commit; HEAD stays.
  asio::awaitable<GitDone> check_out_paths(std::string commit, rules::Duration limit) const;
  // Goes back to where nothing was local: what a build has changed since gives way.
  asio::awaitable<GitDone> go_back_to(std::string commit_or_branch, std::string reason, rules::Duration limit) const;
  // After a checkout of the commit that failed in the middle: the index becomes the commit's, so that going back from
  // there removes what the checkout has written, but for files that are not as the commit has them: those are
  // somebody else's.
  asio::awaitable<GitDone> own_half_done(std::string from, std::string commit, rules::Duration limit) const;
  // Whether the commit has submodules.
  asio::awaitable<GitYesNo> has_submodules(std::string commit) const;

 private:
  asio::awaitable<GitAnswer> git_dir() const;
  // Empty: none.
  asio::awaitable<GitAnswer> unfinished_operation(std::string git_dir) const;

  GitRunner git_;
};

}  // namespace watcher
