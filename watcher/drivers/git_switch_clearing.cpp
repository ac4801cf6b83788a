#include <unistd.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "watcher/drivers/git_switch.hpp"

namespace watcher {

// What the switch will change inside the tree, and whether it can.
asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::look_inside() {
  GitSubmodules coming = co_await submodules_of(repository_, request_.to.text);
  if (const auto* const error = std::get_if<GitError>(&coming)) co_return trouble_of(*error);
  submodules_ = std::move(std::get<std::vector<GitSubmodule>>(coming));
  if (submodules_.empty()) co_return MaybeTrouble();
  const GitAnswer reason = co_await why_submodules_are_stuck(submodules_, rules::Duration::max(), clock_.now());
  if (const auto* const error = std::get_if<GitError>(&reason)) co_return trouble_of(*error);
  if (!std::get<std::string>(reason).empty()) co_return Trouble{std::get<std::string>(reason)};
  for (const GitSubmodule& submodule : submodules_) {
    const GitRepository inside(submodule.git);
    const GitDone free = co_await inside.wait_for_index(std::min(index_patience, left()));
    if (free) co_return trouble_of(*free);
  }
  std::string release = before_.head;
  if (before_.place && !before_.place->target.empty()) release = before_.place->target;
  const GitSubmodules here = co_await submodules_of(repository_, std::move(release));
  if (const auto* const error = std::get_if<GitError>(&here)) co_return trouble_of(*error);
  for (const GitSubmodule& submodule : std::get<std::vector<GitSubmodule>>(here)) {
    inside_[submodule.git.dir()] = submodule.commit;
  }
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::put_changes_away() {
  const bool left_here = before_.place.has_value();
  std::string branch = branch_;
  if (branch.empty() && left_here) branch = state_.aftermath.branch;
  state_.aftermath = GitAftermath();
  state_.aftermath.incident = request_.incident.text;
  state_.aftermath.branch = std::move(branch);
  MaybeTrouble trouble = co_await clear_submodules();
  if (trouble) co_return trouble;
  const GitDone failed = co_await clear(repository_.git(), before_.head, request_.to.text, state_.aftermath.put_away);
  if (failed) co_return trouble_of(*failed);
  co_return MaybeTrouble();
}

asio::awaitable<GitDone> GitSwitch::clear(const GitRunner& git, std::string head, std::string target,
                                          GitPutAway& put_away) {
  GitClearingManner manner;
  manner.changes_message = reason("local changes at " + brief(head));
  manner.aside_message = reason("in the way of " + brief(target));
  manner.note = [this]() -> GitDone {
    const MaybeTrouble trouble = note(state_.places);
    if (trouble) return GitError{trouble->what};
    begun_ = true;
    return std::nullopt;
  };
  manner.left = [this] { return left(); };
  GitClearing clearing(git, manner, put_away);
  co_return co_await clearing.clear_for(std::move(target));
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::clear_submodules() {
  for (const GitSubmodule& submodule : submodules_) {
    MaybeTrouble trouble = co_await clear_submodule(submodule);
    if (trouble) co_return trouble;
  }
  co_return MaybeTrouble();
}

// What is not as the release had it is noted, so that the way back to it can be told.
asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::clear_submodule(const GitSubmodule& submodule) {
  const GitRepository repository(submodule.git);
  const GitAnswer head = co_await repository.head();
  const auto* const at = std::get_if<std::string>(&head);
  const auto* const unknown = std::get_if<GitError>(&head);
  if (unknown != nullptr && (unknown->timed_out || unknown->called_off)) co_return trouble_of(*unknown);
  // One that was never checked out has nothing to lose.
  if (at == nullptr) co_return MaybeTrouble();
  GitLeftInside left{submodule.git.dir(), "", {}};
  const auto expected = inside_.find(left.dir);
  if (*at != submodule.commit && (expected == inside_.end() || expected->second != *at)) {
    const GitAnswer branch = co_await repository.branch();
    if (const auto* const error = std::get_if<GitError>(&branch)) co_return trouble_of(*error);
    left.was_at = std::get<std::string>(branch).empty() ? *at : std::get<std::string>(branch);
  }
  const std::string was_at = left.was_at;
  state_.aftermath.inside.push_back(std::move(left));
  const GitAnswer known = co_await repository.commit_of(submodule.commit);
  // What a commit has that is still to be fetched, nobody knows: git itself refuses to overwrite then.
  const std::string target = known.index() == 0 ? submodule.commit : *at;
  GitPutAway& put_away = state_.aftermath.inside.back().put_away;
  const GitDone failed = co_await clear(submodule.git, *at, target, put_away);
  if (failed) co_return trouble_of(*failed);
  cleared_.push_back({submodule.git, *at});
  const bool as_it_was = was_at.empty() && put_away.stash_message.empty() && put_away.aside_message.empty();
  if (as_it_was) state_.aftermath.inside.pop_back();
  co_return MaybeTrouble();
}

// What a build has changed gives way in those that were cleared; what is local in any other stays.
asio::awaitable<GitDone> GitSwitch::go_back_in_submodules(rules::Duration limit) {
  for (const GitSubmodule& submodule : cleared_) {
    // Where a build has removed it, git would work in the repository around it.
    if (::access((submodule.git.dir() + "/.git").c_str(), F_OK) != 0) continue;
    const GitRepository inside(submodule.git);
    const GitDone failed =
        co_await inside.go_back_to(submodule.commit, reason("back to " + brief(submodule.commit)), limit);
    if (failed) co_return failed;
  }
  co_return co_await repository_.update_submodules(limit);
}

}  // namespace watcher
