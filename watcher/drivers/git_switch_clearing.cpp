#include <algorithm>
#include <utility>
#include <variant>

#include "watcher/drivers/git_switch.hpp"

namespace watcher {

// What the switch will change inside the tree, and whether it can.
asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::look_inside() {
  constexpr int depth_max = 10;  // of submodules in submodules, some of which are yet to be fetched
  for (int depth = 0; depth < depth_max; ++depth) {
    GitSubmodules coming = co_await submodules_of(repository_, request_.to.text);
    if (const auto* const error = std::get_if<GitError>(&coming)) co_return trouble_of(*error);
    const std::size_t known = submodules_.size();
    submodules_ = std::move(std::get<std::vector<GitSubmodule>>(coming));
    if (submodules_.size() == known) break;
    const GitDone failed = co_await fetch_lacking(submodules_, left());
    if (failed) co_return trouble_of(*failed);
  }
  if (submodules_.empty()) co_return MaybeTrouble();
  const GitAnswer reason = co_await why_submodules_are_stuck(submodules_, rules::Duration::max(), clock_.now());
  if (const auto* const error = std::get_if<GitError>(&reason)) co_return trouble_of(*error);
  if (!std::get<std::string>(reason).empty()) co_return Trouble{std::get<std::string>(reason)};
  for (const GitSubmodule& submodule : submodules_) {
    const GitRepository inside(submodule.git);
    const GitDone free = co_await inside.wait_for_index(std::min(index_patience, left()));
    if (free) co_return trouble_of(*free);
    GitClearingManner by_looking;
    const GitClearing clearing(submodule.git, std::move(by_looking));
    const GitDone refused = co_await clearing.foresee(submodule.commit);
    if (refused) co_return trouble_of(*refused);
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
  take_up(std::exchange(state_.aftermath, GitAftermath()));
  state_.aftermath.incident = request_.incident.text;
  state_.aftermath.branch = std::move(branch);
  MaybeTrouble trouble = co_await clear_submodules();
  if (trouble) co_return trouble;
  GitClearingManner manner =
      manner_of(before_.head, request_.to.text, [this]() -> GitPutAway& { return state_.aftermath.put_away; });
  // What the first attempt has kept of the index is not written over.
  if (takes_up_) manner.may_go_back = false;
  clearing_.emplace(repository_.git(), std::move(manner));
  const GitDone failed = co_await clearing_->clear_for(request_.to.text);
  if (failed) co_return trouble_of(*failed);
  co_return MaybeTrouble();
}

GitClearingManner GitSwitch::manner_of(std::string head, std::string target, std::function<GitPutAway&()> where) {
  GitClearingManner manner;
  manner.changes_message = reason("local changes at " + brief(head));
  manner.aside_message = reason("in the way of " + brief(target));
  manner.note = [this, where = std::move(where)](const GitPutAway& put_away) -> GitDone {
    where() = put_away;
    const MaybeTrouble trouble = note(state_.places);
    if (trouble) return GitError{trouble->what};
    return std::nullopt;
  };
  manner.left = [this] { return left(); };
  return manner;
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
  const GitAnswer branch = co_await repository.branch();
  if (const auto* const error = std::get_if<GitError>(&branch)) co_return trouble_of(*error);
  const std::string& name = std::get<std::string>(branch);
  const std::string here = name.empty() ? *at : name;
  GitLeftInside left{submodule.git.dir(), "", {}};
  const auto expected = inside_.find(left.dir);
  const bool elsewhere = *at != submodule.commit && (expected == inside_.end() || expected->second != *at);
  if (elsewhere) left.was_at = here;
  state_.aftermath.inside.push_back(std::move(left));
  GitClearingManner manner =
      manner_of(*at, submodule.commit, [this]() -> GitPutAway& { return state_.aftermath.inside.back().put_away; });
  cleared_.push_back({GitClearing(submodule.git, std::move(manner)), here});
  GitClearing& clearing = cleared_.back().clearing;
  const GitDone failed = co_await clearing.clear_for(submodule.commit);
  if (failed) co_return trouble_of(*failed);
  const GitPutAway& put_away = clearing.put_away();
  const bool as_it_was = !elsewhere && put_away.stash_message.empty() && put_away.aside_message.empty();
  if (as_it_was) state_.aftermath.inside.pop_back();
  co_return MaybeTrouble();
}

}  // namespace watcher
