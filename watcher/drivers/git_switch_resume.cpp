#include <filesystem>
#include <utility>
#include <variant>

#include "watcher/drivers/git_switch.hpp"

// Our end broke off an attempt of the same switch. Its checkout, what it put away and its copy of the index are there;
// when this attempt fails as well, all is made what it was before the first one.

namespace watcher {

namespace {

constexpr rules::Duration give_back_limit = std::chrono::minutes(5);

// They are noted with their whole paths. Whether all files have them.
bool give_noted_modes(const GitRepository& repository, const std::string& up, std::vector<GitFileMode> modes) {
  const std::filesystem::path dir(repository.dir() + "/" + up + ".");
  const std::string top = dir.lexically_normal().parent_path().string();
  for (GitFileMode& mode : modes) {
    if (!mode.name.starts_with(top + "/")) return false;
    mode.name.erase(0, top.size() + 1);
  }
  return give_modes_back(top, modes, repository.git().user()).empty();
}

}  // namespace

std::string GitSwitch::here_from() const {
  return repository_.paths().empty() || !before_.place ? before_.head : before_.place->target;
}

// Where a restart was begun nobody knows what runs, and what is checked out is left.
void GitSwitch::take_up(GitAftermath before) {
  state_.aftermath.from = here_from();
  if (before.incident.empty() || before.incident != request_.incident.text) return;
  state_.aftermath.earlier = std::move(before.earlier);
  state_.aftermath.inside = std::move(before.inside);
  if (!before.put_away.is_back && !(before.put_away.stash_message + before.put_away.aside_message).empty())
    state_.aftermath.earlier.push_back(std::move(before.put_away));
  if (before.from.empty() || before_.revision.empty()) return;
  // A switch that completed has noted that what it checked out runs; one that was broken off early has noted no place.
  const bool partial = !repository_.paths().empty();
  const bool is_unfinished =
      !state_.places.empty() &&
      state_.places.back().running != (partial ? state_.places.back().target : state_.places.back().head);
  const bool has_left = before.from != state_.aftermath.from;
  const bool has_put_away = !state_.aftermath.earlier.empty() && (is_unfinished || before.left_at.empty());
  takes_up_ = has_left ? is_unfinished : has_put_away;
  if (!takes_up_) return;
  state_.aftermath.submodules = before.submodules;
  state_.aftermath.from = std::move(before.from);
}

// The branch may have gone on meanwhile.
asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::find_way_back() {
  branch_ = state_.aftermath.branch;
  if (branch_.empty() || !repository_.paths().empty()) co_return MaybeTrouble();
  const GitAnswer at = co_await repository_.commit_of(branch_);
  const auto* const commit = std::get_if<std::string>(&at);
  if (commit == nullptr || *commit != state_.aftermath.from) branch_.clear();
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::give_earlier_back() {
  if (state_.aftermath.earlier.empty()) co_return MaybeTrouble();
  // Those that came later put away what was done to the target.
  GitPutAway& first = state_.aftermath.earlier.front();
  const bool is_known =
      first.stash_message.empty() == first.stash.empty() && first.aside_message.empty() == first.aside.empty();
  if (first.is_back) co_return MaybeTrouble();
  if (!is_known) co_return Trouble{"whether it was stashed was not noted"};
  const GitChanges changes(repository_.git());
  GitDone failed;
  if (!first.aside.empty()) failed = co_await changes.apply(first.aside, give_back_limit);
  if (!failed && !first.stash.empty()) {
    std::vector<std::string> paths = repository_.paths();
    failed = co_await changes.give_files_back(first.stash, std::move(paths), give_back_limit);
  }
  if (failed) co_return trouble_of(*failed);
  const GitAnswer up = co_await repository_.git().way_up();
  if (const auto* const error = std::get_if<GitError>(&up)) co_return trouble_of(*error);
  const bool same_modes = give_noted_modes(repository_, std::get<std::string>(up), first.modes);
  failed = co_await changes.give_index_back(give_back_limit);
  if (failed) co_return trouble_of(*failed);
  if (!first.stash.empty()) {
    std::vector<std::string> question{"diff", "--quiet", "--no-ext-diff", "--ignore-submodules=all", first.stash};
    std::vector<std::string> limited = repository_.git().with_paths(std::move(question));
    const GitYesNo same = co_await repository_.git().yes_or_no(std::move(limited), give_back_limit);
    if (const auto* const error = std::get_if<GitError>(&same)) co_return trouble_of(*error);
    if (!std::get<bool>(same)) co_return Trouble{repository_.dir() + " is not as it was before"};
  }
  if (!same_modes || first.modes_unnoted > 0)
    co_return Trouble{"not all files have the owners and modes that they had"};
  first.is_back = true;
  co_return note(state_.places);
}

}  // namespace watcher
