#include "watcher/serve/seats.hpp"

#include <algorithm>
#include <utility>

namespace watcher {

Seats::Seat::Seat(Seats& seats, Owner owner) : seats_(seats), owner_(owner) {
  ++seats_.taken_;
  if (owner_) ++seats_.taken_by_[*owner_];
}

Seats::Seat::~Seat() {
  --seats_.taken_;
  if (owner_ && --seats_.taken_by_[*owner_] == 0) seats_.taken_by_.erase(*owner_);
}

Seats::Useless::Useless(Seats& seats, Idle how, Owner owner, std::function<bool()> close)
    : seats_(seats), place_(seats.useless_.insert(seats.useless_.end(), Idler{how, owner, std::move(close)})) {}

bool Seats::have_place(Owner owner, bool is_bounded) {
  const auto his = owner ? taken_by_.find(*owner) : taken_by_.end();
  if (is_bounded && his != taken_by_.end() && 2 * his->second >= most_) return make_way(std::nullopt, owner);
  return have_place();
}

bool Seats::make_way(std::optional<Idle> only, Owner of) {
  return std::any_of(useless_.begin(), useless_.end(), [&](Idler& idler) {
    if (idler.is_leaving || (only && idler.how != *only) || (of && idler.owner != of)) return false;
    idler.is_leaving = idler.close();
    return idler.is_leaving;
  });
}

}  // namespace watcher
