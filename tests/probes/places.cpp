#include "probes/places.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>

using namespace std::chrono_literals;
using probes::place_hash;
using probes::place_length;
using probes::place_within;
using probes::places_for;
using rules::Duration;
using rules::Instant;

namespace {

const Instant now(1'800'000'000s + 123'456'789ns);

std::map<Instant, int> places_of(std::size_t targets, Duration length) {
  std::map<Instant, int> places;
  for (std::size_t i = 0; i < targets; ++i)
    ++places[place_within(place_hash("target" + std::to_string(i), 0), now, length, places_for(targets))];
  return places;
}

}  // namespace

TEST_CASE("targets are spread evenly over an interval, and share its places") {
  const auto places = places_of(2000, 1s);
  CHECK(places.size() == 20);
  for (const auto& [at, targets] : places) {
    CHECK(at > now);
    CHECK(at <= now + 1s);
    CHECK(at.time_since_epoch() % place_length == 0ns);
    CHECK(targets > 50);
    CHECK(targets < 150);
  }
}

TEST_CASE("targets of a long interval share places as those of a short one do") {
  const auto places = places_of(2000, 10s);
  CHECK(places.size() == 20);
  CHECK(places.rbegin()->first - places.begin()->first == 9500ms);
  for (const auto& [at, targets] : places_of(200, 1500ms)) CHECK(at.time_since_epoch() % place_length == 0ns);
}

TEST_CASE("few targets share few places, many no more than have to wait for each other") {
  CHECK(places_for(1) == 4);
  CHECK(places_for(100) == 4);
  CHECK(places_for(250) == 10);
  CHECK(places_for(5000) == 20);
  CHECK(places_of(100, 5s).size() == 4);
  CHECK(places_of(100, 1s).size() == 4);
}

TEST_CASE("what is done now and then is done at whole steps") {
  CHECK(probes::until_next(Instant(7s), 1s) == 1s);
  CHECK(probes::until_next(Instant(7s + 1ns), 1s) == 1s - 1ns);
  CHECK(probes::until_next(Instant(7s - 1ns), 1s) == 1ns);
}

TEST_CASE("a page stands apart from what is timed, where there is room") {
  CHECK(probes::page_aside(1s) > 0ms);
  CHECK(probes::page_aside(1s) < place_length);
  CHECK(probes::page_aside(99ms) == 0ms);
}

TEST_CASE("targets that start at different times share places") {
  std::set<Duration> offsets;
  for (int i = 0; i < 100; ++i) {
    const Instant at = place_within(place_hash("target", 0), now + i * 7ms, 10s, 20);
    offsets.insert(at.time_since_epoch() % place_length);
  }
  CHECK(offsets == std::set<Duration>{0ns});
}

TEST_CASE("an interval without room for two places is used as a whole") {
  const auto places = places_of(200, 99ms);
  CHECK(places.size() > 190);
  CHECK(places.begin()->first >= now);
  CHECK(places.rbegin()->first < now + 99ms);
  CHECK(place_within(place_hash("target", 0), now, 0ms, 20) == now);
}

TEST_CASE("a target's hash is the same everywhere, and each instance has its own") {
  CHECK(place_hash("target", 0) == 5675710746530268791ULL);
  CHECK(place_hash("api.health", 3) == 13943866372309572794ULL);
  CHECK(place_hash("target", 0) != place_hash("target", 1));
  CHECK(place_hash("target1", 0) != place_hash("target", 10));
}
