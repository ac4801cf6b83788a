#include "watcher/drivers/git_look.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace watcher {

namespace {

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
asio::awaitable<void> name_paths(const GitRepository& repository, GitLook& look) {
  const auto clean = co_await repository.index_equals(look.head);
  if (const auto* const error = std::get_if<GitError>(&clean)) {
    look.error = error->what;
    co_return;
  }
  look.revision = look.head;
  if (std::get<bool>(clean)) co_return;
  const GitAnswer digest = co_await repository.index_digest();
  if (const auto* const error = std::get_if<GitError>(&digest)) {
    look.error = error->what;
    co_return;
  }
  look.revision += "-paths-" + std::get<std::string>(digest);
}

asio::awaitable<void> find_partial_place(const GitRepository& repository, const std::vector<GitPlace>& newest_first,
                                         GitLook& look) {
  for (const GitPlace& place : newest_first) {
    const auto same = co_await repository.index_equals(place.target);
    if (const auto* const error = std::get_if<GitError>(&same)) {
      look.error = error->what;
      co_return;
    }
    if (!std::get<bool>(same)) continue;
    take_place(look, place);
    co_return;
  }
  co_await name_paths(repository, look);
}

}  // namespace

asio::awaitable<GitLook> look_at(const GitRepository& repository, GitState state) {
  GitLook look;
  GitAnswer head = co_await repository.head();
  if (auto* const error = std::get_if<GitError>(&head)) {
    look.error = std::move(error->what);
    co_return look;
  }
  look.head = std::get<std::string>(head);
  std::vector<GitPlace> newest_first(state.places.rbegin(), state.places.rend());
  std::erase_if(newest_first, [&look](const GitPlace& place) { return place.head != look.head; });
  if (!repository.paths().empty()) {
    co_await find_partial_place(repository, newest_first, look);
  } else if (newest_first.empty()) {
    look.revision = look.head;
  } else {
    co_await find_place(repository, newest_first, look);
  }
  co_return look;
}

}  // namespace watcher
