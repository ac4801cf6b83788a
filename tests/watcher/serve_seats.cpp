#include <doctest/doctest.h>

#include <optional>
#include <vector>

#include "watcher/serve/seats.hpp"

using watcher::Seats;

TEST_CASE("the connection that is the longest of no use makes way, each once") {
  Seats seats(1);
  CHECK(seats.have_place());
  const Seats::Seat first(seats);
  CHECK_FALSE(seats.have_place());
  std::vector<int> closed;
  std::optional<Seats::Useless> one(std::in_place, seats, Seats::Idle::silent, [&] { closed.push_back(1); });
  const Seats::Useless two(seats, Seats::Idle::slow, [&] { closed.push_back(2); });
  CHECK(seats.have_place());
  CHECK(seats.have_place());
  CHECK_FALSE(seats.have_place());
  CHECK(closed == std::vector<int>{1, 2});
  one.reset();
  const Seats::Useless three(seats, Seats::Idle::silent, [&] { closed.push_back(3); });
  CHECK_FALSE(seats.make_way(Seats::Idle::slow));
  CHECK(seats.make_way());
  CHECK(closed.back() == 3);
}

TEST_CASE("one large answer is always sent, many at the same time are not") {
  Seats seats(8);
  CHECK(seats.bears(2 * Seats::outgoing_max));
  {
    const Seats::Outgoing large(seats, Seats::outgoing_max - 10);
    CHECK(seats.bears(10));
    CHECK_FALSE(seats.bears(11));
  }
  CHECK(seats.bears(11));
}
