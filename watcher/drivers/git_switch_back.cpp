#include <unistd.h>

#include <utility>
#include <variant>

#include "watcher/drivers/git_switch.hpp"

// After a trouble all is made what it was: the tree, its index and branch, what was put away, and what runs.

namespace watcher {

namespace {

// Going back is not for the time limit of the switch, which may be what ended the build.
constexpr rules::Duration go_back_limit = std::chrono::minutes(5);
constexpr const char* nobody_knows = "A restart was begun, so nobody knows what runs";

}  // namespace

asio::awaitable<void> GitSwitch::undo(Trouble& trouble) {
  if (restarted_) co_return;  // it is only not noted
  const bool is_back = co_await go_back(trouble);
  if (!restarting_) co_return;
  if (is_back) {
    co_await run_again(trouble);
  } else {
    trouble.what += std::string("\n") + nobody_knows;
  }
}

// The revision that runs is checked out again: what a process reads from its tree while it runs should be its own.
asio::awaitable<bool> GitSwitch::go_back(Trouble& trouble) {
  MaybeTrouble stuck;
  if (moved_) stuck = co_await move_back();
  if (stuck) {
    as_before_ = false;
    trouble.what += "\n" + request_.to.text + (arrived_ ? " is still" : " may be in parts");
    trouble.what += " checked out, because going back failed: " + stuck->what;
    co_return false;
  }
  state_.aftermath.left_at.clear();
  const MaybeTrouble kept = co_await give_back();
  const std::string modes = modes_left();
  as_before_ = !kept && modes.empty();
  note(state_.places);
  if (moved_) trouble.what += "\n" + (takes_up_ ? state_.aftermath.from : before_.head) + " is checked out again";
  if (kept) trouble.what += "\nWhat was put away is not back: " + kept->what;
  if (!modes.empty()) trouble.what += "\n" + modes;
  if (!moved_) co_return !kept;
  if (!restarting_) trouble.what += "; nothing was restarted";
  if (!config_.build.empty() && arrived_ && !restarting_) {
    trouble.what += ", but files that the build made may be those of " + request_.to.text;
  }
  co_return !kept;
}

// What was changed while the target was there may be anybody's. A checkout that failed in the middle has changed what
// is there itself.
asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::leave_target(std::string to) {
  if (!arrived_) {
    const GitDone failed = co_await repository_.own_half_done(to, request_.to.text, go_back_limit);
    if (failed) co_return trouble_of(*failed);
    co_return MaybeTrouble();
  }
  GitClearingManner manner =
      manner_of(request_.to.text, to, [this]() -> GitPutAway& { return state_.aftermath.during; });
  manner.changes_message = reason("changed while " + brief(request_.to.text) + " was checked out");
  manner.may_go_back = false;
  manner.left = [] { return go_back_limit; };
  if (!repository_.paths().empty()) manner.expected = request_.to.text;
  GitClearing clearing(repository_.git(), std::move(manner));
  const GitDone failed = co_await clearing.clear_for(std::move(to));
  if (failed) co_return trouble_of(*failed);
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::move_back() {
  const bool partial = !repository_.paths().empty();
  MaybeTrouble trouble;
  if (takes_up_) trouble = co_await find_way_back();
  if (trouble) co_return trouble;
  const std::string commit = takes_up_ ? state_.aftermath.from : here_from();
  const std::string back_to = partial || branch_.empty() ? commit : branch_;
  GitPlace place{partial ? before_.head : commit, "", "", restarting_ ? "" : before_.revision};
  if (partial) place.target = commit;
  trouble = co_await leave_target(commit);
  if (trouble) co_return trouble;
  if (partial) {
    trouble = note_next(place);
    if (trouble) co_return trouble;
    const GitDone done = co_await repository_.check_out_paths(place.target, go_back_limit);
    if (done) co_return trouble_of(*done);
  } else if (commit != request_.to.text) {
    place.mark = reason("back to " + brief(commit));
    trouble = note_next(place);
    if (trouble) co_return trouble;
    const GitDone done = co_await repository_.go_back_to(back_to, place.mark, go_back_limit);
    if (done) co_return trouble_of(*done);
  } else {
    place = here_.value_or(place);
  }
  here_ = std::move(place);
  trouble = co_await go_back_in_submodules();
  if (trouble) co_return trouble;
  state_.aftermath.left_at.clear();
  co_return note(state_.places);
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::leave_in_submodule(const Cleared& cleared) {
  const GitRunner& git = cleared.clearing.git();
  state_.aftermath.inside.push_back({git.dir(), "", {}});
  GitClearingManner manner =
      manner_of("", cleared.was_at, [this]() -> GitPutAway& { return state_.aftermath.inside.back().put_away; });
  manner.changes_message = reason("changed while " + brief(request_.to.text) + " was checked out");
  manner.may_go_back = false;
  manner.left = [] { return go_back_limit; };
  GitClearing leaving(git, std::move(manner));
  const GitDone failed = co_await leaving.clear_for(cleared.was_at);
  if (failed) co_return trouble_of(*failed);
  const GitPutAway& put_away = leaving.put_away();
  if (put_away.stash_message.empty() && put_away.aside_message.empty()) state_.aftermath.inside.pop_back();
  co_return MaybeTrouble();
}

// What is local in a submodule that was not cleared stays.
asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::go_back_in_submodules() {
  if (!state_.aftermath.submodules) co_return MaybeTrouble();
  bool all_there = !takes_up_;
  for (const Cleared& cleared : cleared_) {
    if (takes_up_) break;  // they are at what the target has
    const GitRunner& git = cleared.clearing.git();
    // Where a build has removed it, git would work in the repository around it.
    if (::access((git.dir() + "/.git").c_str(), F_OK) != 0) {
      all_there = false;
      continue;
    }
    MaybeTrouble trouble = co_await leave_in_submodule(cleared);
    if (trouble) co_return trouble;
    const GitRepository inside(git);
    const GitDone failed =
        co_await inside.go_back_to(cleared.was_at, reason("back to " + brief(cleared.was_at)), go_back_limit);
    if (failed) co_return trouble_of(*failed);
  }
  if (all_there) co_return MaybeTrouble();
  const GitDone failed = co_await watcher::update_submodules(repository_.git(), go_back_limit);
  if (failed) co_return trouble_of(*failed);
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::give_back() {
  if (takes_up_) co_return co_await give_earlier_back();
  GitDone failed;
  if (clearing_) failed = co_await clearing_->give_back(go_back_limit);
  if (failed) co_return trouble_of(*failed);
  if (clearing_) state_.aftermath.put_away = clearing_->put_away();
  for (Cleared& cleared : cleared_) {
    const std::string& dir = cleared.clearing.git().dir();
    if (::access((dir + "/.git").c_str(), F_OK) != 0) co_return Trouble{dir + " is gone"};
    failed = co_await cleared.clearing.give_back(go_back_limit);
    if (failed) co_return trouble_of(*failed);
    for (GitLeftInside& left : state_.aftermath.inside) {
      const GitPutAway& back = cleared.clearing.put_away();
      const bool is_this =
          left.put_away.stash_message == back.stash_message && left.put_away.aside_message == back.aside_message;
      if (left.dir != dir || !is_this) continue;
      left.put_away = back;
      left.was_at.clear();
    }
  }
  co_return MaybeTrouble();
}

std::string GitSwitch::modes_left() const {
  std::string text;
  if (clearing_) text = clearing_->modes_left();
  for (const Cleared& cleared : cleared_) {
    const std::string inside = cleared.clearing.modes_left();
    if (!inside.empty()) text += (text.empty() ? "" : "\n") + inside;
  }
  return text;
}

// A restart that failed may have stopped what ran, and what was built is the target's.
asio::awaitable<void> GitSwitch::run_again(Trouble& trouble) {
  deadline_ = clock_.now() + config_.build_timeout + config_.restart_timeout;
  const std::optional<int> exit_code = result_.exit_code;
  MaybeTrouble failed;
  if (!config_.build.empty()) failed = co_await run_builds();
  if (!failed) failed = co_await run_restart();
  if (!failed) failed = co_await prove(config_.restart_timeout);
  result_.exit_code = exit_code;
  if (failed) {
    trouble.what += "\nIt could not be built and restarted: " + failed->what + "\n" + nobody_knows;
    co_return;
  }
  GitPlace place = here_.value_or(GitPlace());
  place.running = before_.revision;
  std::vector<GitPlace> places(1, place);
  const MaybeTrouble unnoted = note(std::move(places));
  trouble.what += ", built and restarted";
  if (unnoted) trouble.what += "\n" + unnoted->what;
}

}  // namespace watcher
