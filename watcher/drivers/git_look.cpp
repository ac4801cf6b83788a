#include "watcher/drivers/git_look.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace watcher {

namespace {

constexpr int changes_max = 50;  // commits that the content of the paths is looked for in, a few ms each

// Nothing was under way: what is there runs, also when commits that leave the paths alone have moved HEAD.
bool is_settled(const GitPlace& place) { return !place.target.empty() && place.running == place.target; }

bool is_marked(const GitPlace& place, const std::string& last_move) {
  // Without a reflog only the commit can tell.
  return last_move.empty() || last_move.ends_with(place.mark);
}

void take_place(GitLook& look, const GitPlace& place) {
  look.place = place;
  look.revision = place.running;
}

asio::awaitable<void> find_place(const GitRepository& repository, const std::vector<GitPlace>& newest_first,
                                 GitLook& look) {
  const GitAnswer last_move = co_await repository.last_move();
  if (const auto* const error = std::get_if<GitError>(&last_move)) {
    look.error = error->what;
    co_return;
  }
  look.revision = look.head;
  for (const GitPlace& place : newest_first) {
    if (!is_marked(place, std::get<std::string>(last_move))) continue;
    take_place(look, place);
    co_return;
  }
}

// What the index has of the paths, when it is none of ours.
asio::awaitable<GitAnswer> name_of_paths(const GitRepository& repository, std::string head, std::string digest) {
  const GitFiles changes = co_await repository.changes_up_to(head, changes_max);
  if (const auto* const error = std::get_if<GitError>(&changes)) co_return *error;
  const auto& commits = std::get<std::vector<std::string>>(changes);
  if (commits.empty()) co_return head;
  for (const std::string& commit : commits) {
    const auto same = co_await repository.index_equals(commit);
    if (const auto* const error = std::get_if<GitError>(&same)) co_return *error;
    if (std::get<bool>(same)) co_return commit;
  }
  co_return commits.front() + "-paths-" + digest;
}

asio::awaitable<void> name_paths(const GitRepository& repository, GitNamed& named, GitLook& look) {
  const GitAnswer digest = co_await repository.index_digest();
  if (const auto* const error = std::get_if<GitError>(&digest)) {
    look.error = error->what;
    co_return;
  }
  const std::string& now = std::get<std::string>(digest);
  if (named.head != look.head || named.digest != now) {
    const GitAnswer name = co_await name_of_paths(repository, look.head, now);
    if (const auto* const error = std::get_if<GitError>(&name)) {
      look.error = error->what;
      co_return;
    }
    named = {look.head, now, std::get<std::string>(name)};
  }
  look.revision = named.revision;
}

// What the place was made of may be gone from the repository, once HEAD has moved on.
asio::awaitable<GitYesNo> is_at(const GitRepository& repository, GitPlace place, std::string head) {
  if (place.head != head) {
    const GitAnswer known = co_await repository.commit_of(place.target);
    const auto* const error = std::get_if<GitError>(&known);
    if (error != nullptr && (error->timed_out || error->called_off)) co_return *error;
    if (error != nullptr) co_return false;
  }
  co_return co_await repository.index_equals(place.target);
}

asio::awaitable<void> find_partial_place(const GitRepository& repository, const std::vector<GitPlace>& newest_first,
                                         GitNamed& named, GitLook& look) {
  for (const GitPlace& place : newest_first) {
    const auto same = co_await is_at(repository, place, look.head);
    if (const auto* const error = std::get_if<GitError>(&same)) {
      look.error = error->what;
      co_return;
    }
    if (!std::get<bool>(same)) continue;
    take_place(look, place);
    co_return;
  }
  co_await name_paths(repository, named, look);
}

}  // namespace

asio::awaitable<GitLook> look_at(const GitRepository& repository, GitState state, GitNamed& named) {
  GitLook look;
  GitAnswer head = co_await repository.head();
  if (auto* const error = std::get_if<GitError>(&head)) {
    look.error = std::move(error->what);
    co_return look;
  }
  look.head = std::get<std::string>(head);
  std::vector<GitPlace> newest_first(state.places.rbegin(), state.places.rend());
  const bool partial = !repository.paths().empty();
  std::erase_if(newest_first,
                [&](const GitPlace& place) { return place.head != look.head && !(partial && is_settled(place)); });
  if (partial) {
    co_await find_partial_place(repository, newest_first, named, look);
  } else if (newest_first.empty()) {
    look.revision = look.head;
  } else {
    co_await find_place(repository, newest_first, look);
  }
  co_return look;
}

}  // namespace watcher
