#pragma once

#include <functional>
#include <string>

#include "rules/base/time.hpp"
#include "watcher/drivers/git_changes.hpp"
#include "watcher/drivers/git_state.hpp"

namespace watcher {

// How a tree is cleared.
struct GitClearingManner {
  std::string changes_message;            // under which changes are put away
  std::string aside_message;              // under which files that are in the way are
  std::function<GitDone()> note;          // notes what is about to be done, durably
  std::function<rules::Duration()> left;  // how long it may still take
};

// Clears one working tree for a checkout: changes are stashed, and so are files that git does not track where they
// stand in the way of one that it is going to write. All others stay where they are: they are the application's.
class GitClearing {
 public:
  // References must outlive it. `put_away` is filled in as it goes on, before and after each deed.
  GitClearing(const GitRunner& git, const GitClearingManner& manner, GitPutAway& put_away)
      : git_(git), changes_(git), manner_(manner), put_away_(put_away) {}

  asio::awaitable<GitDone> clear_for(std::string target);

 private:
  // At which commits they are is told of the submodules themselves.
  asio::awaitable<GitDone> unstage_submodules();
  asio::awaitable<GitDone> put_changes_away();
  asio::awaitable<GitDone> put_aside(std::string target);
  // Why they cannot be put away by us.
  GitDone refusal_of(const std::vector<std::string>& files, const std::string& target) const;

  const GitRunner& git_;
  const GitChanges changes_;
  const GitClearingManner& manner_;
  GitPutAway& put_away_;
};

}  // namespace watcher
