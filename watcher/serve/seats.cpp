#include "watcher/serve/seats.hpp"

#include <algorithm>
#include <utility>

namespace watcher {

Seats::Useless::Useless(Seats& seats, Idle how, std::function<void()> close)
    : seats_(seats), place_(seats.useless_.insert(seats.useless_.end(), Idler{how, std::move(close)})) {}

bool Seats::make_way(std::optional<Idle> only) {
  const auto longest = std::find_if(useless_.begin(), useless_.end(), [&](const Idler& idler) {
    return !idler.is_leaving && (!only || idler.how == *only);
  });
  if (longest == useless_.end()) return false;
  longest->is_leaving = true;
  longest->close();
  return true;
}

}  // namespace watcher
