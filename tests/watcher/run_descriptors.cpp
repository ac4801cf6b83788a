#include <doctest/doctest.h>

#include "watcher/run/descriptors.hpp"

using watcher::Places;
using watcher::places_among;

TEST_CASE("visitors get what polls, children, journal and messages leave, each door its part") {
  constexpr std::size_t needed = 60;
  for (std::size_t allowed = needed + 8; allowed < needed + 200; ++allowed) {
    const auto found = places_among(allowed, needed);
    REQUIRE(std::holds_alternative<Places>(found));
    const auto& places = std::get<Places>(found);
    CHECK(places.all() + needed <= allowed);
    CHECK(places.all() == std::min(allowed - needed, Places().all()));
    CHECK(places.web >= 2);
    CHECK(places.crowded >= 2);
    CHECK(places.control >= 4);
  }
  CHECK(std::get<Places>(places_among(100'000, needed)).all() == Places().all());
}

TEST_CASE("too few descriptors are refused with the number that is needed") {
  const auto found = places_among(64, 60);
  REQUIRE(std::holds_alternative<std::string>(found));
  CHECK(std::get<std::string>(found) ==
        "64 descriptors are allowed, this configuration needs 68; set LimitNOFILE=164 in the unit, or `ulimit -n 164`");
}

TEST_CASE("targets, children and notifiers count") {
  watcher::Config config;
  const std::size_t nothing = watcher::descriptors_needed(config);
  rules::ProbeShape shape;
  shape.instances = 3;
  config.core.probes = {shape, shape};
  config.probes.resize(1);
  config.probes[0].what = probes::ExecProbe();
  config.drivers.resize(1);
  config.notifiers.resize(2);
  CHECK(watcher::descriptors_needed(config) == nothing + 6 + 2 * 6 + 4);
  config.drivers.resize(1000);
  CHECK(watcher::descriptors_needed(config) == nothing + 6 + 16 * 6 + 4);
}
