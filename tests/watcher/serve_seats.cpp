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
  const auto closing = [&](int which) {
    return [&closed, which] {
      closed.push_back(which);
      return true;
    };
  };
  std::optional<Seats::Useless> one(std::in_place, seats, Seats::Idle::silent, std::nullopt, closing(1));
  const Seats::Useless two(seats, Seats::Idle::slow, std::nullopt, closing(2));
  CHECK(seats.have_place());
  CHECK(seats.have_place());
  CHECK_FALSE(seats.have_place());
  CHECK(closed == std::vector<int>{1, 2});
  one.reset();
  const Seats::Useless three(seats, Seats::Idle::silent, std::nullopt, closing(3));
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

TEST_CASE("a connection that has said something keeps its place, and the next one that is silent makes way") {
  Seats seats(2);
  int closed = 0;
  const Seats::Useless said(seats, Seats::Idle::silent, std::nullopt, [] { return false; });
  const Seats::Useless silent(seats, Seats::Idle::silent, std::nullopt, [&] { return ++closed > 0; });
  CHECK(seats.make_way());
  CHECK(closed == 1);
  CHECK_FALSE(seats.make_way());
}

TEST_CASE("one user has half of the places, and makes way for himself before others do") {
  Seats seats(4);
  constexpr unsigned many = 1000;
  constexpr unsigned few = 1001;
  const Seats::Seat first(seats, many);
  CHECK(seats.have_place(many, true));
  const Seats::Seat second(seats, many);
  CHECK_FALSE(seats.have_place(many, true));
  CHECK(seats.have_place(many, false));
  CHECK(seats.have_place(few, true));
  int closed = 0;
  const Seats::Useless of_other(seats, Seats::Idle::silent, few, [&] { return --closed < 0; });
  CHECK_FALSE(seats.have_place(many, true));
  const Seats::Useless own(seats, Seats::Idle::silent, many, [&] { return ++closed > 0; });
  CHECK(seats.have_place(many, true));
  CHECK(closed == 1);
}
