#pragma once

#include <functional>
#include <string>
#include <vector>

#include "rules/base/time.hpp"
#include "watcher/drivers/git_changes.hpp"
#include "watcher/drivers/git_state.hpp"

namespace watcher {

// How a tree is cleared.
struct GitClearingManner {
  std::string changes_message;                       // under which changes are put away
  std::string aside_message;                         // under which files that are in the way are
  std::string expected;                              // commit that the paths are as in; empty: HEAD's
  bool may_go_back = true;                           // all is kept that give_back() needs
  std::function<GitDone(const GitPutAway&)> note{};  // notes what is about to be done, and what was, durably
  std::function<rules::Duration()> left{};           // how long it may still take
};

// Clears one working tree for a checkout: changes are stashed, and so are files that git does not track where they
// stand in the way of one that it is going to write. All others stay where they are: they are the application's.
class GitClearing {
 public:
  GitClearing(GitRunner git, GitClearingManner manner) : git_(std::move(git)), manner_(std::move(manner)) {}

  // Why clear_for() would fail, as far as that can be seen without touching anything.
  asio::awaitable<GitDone> foresee(std::string target) const;
  asio::awaitable<GitDone> clear_for(std::string target);
  // Makes all that was local what it was, when the tree is where it was again, also after a clear_for() that failed.
  asio::awaitable<GitDone> give_back(rules::Duration limit);
  const GitPutAway& put_away() const { return put_away_; }
  // After give_back(): what has to be typed for who may use the files to be as it was, where we could not; for people.
  std::string modes_left() const;
  const GitRunner& git() const { return git_; }

 private:
  asio::awaitable<GitDone> keep();
  // At which commits they are is told of the submodules themselves.
  asio::awaitable<GitDone> unstage_submodules();
  // Who may use what a stash and the checkout will write anew.
  asio::awaitable<GitDone> remember_modes(std::string target);
  asio::awaitable<GitDone> put_changes_away(std::string target);
  void note_modes_of(const std::vector<std::string>& files);
  asio::awaitable<GitYesNo> has_changes() const;
  asio::awaitable<GitDone> put_aside(std::string target);
  asio::awaitable<GitAnswer> top_of_tree() const;
  // Why they cannot be put away by us.
  GitDone refusal_of(const std::vector<std::string>& files, const std::string& target) const;

  GitRunner git_;
  GitClearingManner manner_;
  GitPutAway put_away_;
  bool kept_ = false;
  std::string status_;                // of before
  std::vector<std::string> changed_;  // those of `paths` that were stashed
  std::string top_;                   // of the tree
  std::vector<std::string> changed_files_;
  std::vector<GitFileMode> modes_;  // of before
  std::vector<GitFileMode> modes_left_;
};

}  // namespace watcher
