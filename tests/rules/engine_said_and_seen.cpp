#include <doctest/doctest.h>

#include "engine_world.hpp"

// What a deploy script said of the revision, and what runs in the end (SPEC 2.14).

using namespace std::chrono_literals;
using namespace world;
using rules::MarkKind;

namespace {

constexpr const char* differs = "The deployment was said to bring v2, and v3 runs.";

}  // namespace

TEST_CASE("what runs after a deployment and is not what was said is told, once") {
  for (const bool seen_before_end : {true, false}) {
    CAPTURE(seen_before_end);
    World w(usual());
    w.run(5min);
    w.mark(MarkKind::begin, "v2");
    w.deploy("v3");
    if (seen_before_end) w.run(30s);
    CHECK_FALSE(w.told_text(differs));
    w.mark(MarkKind::end);
    w.run(1min);
    CHECK(w.told_text(differs));
    CHECK(w.told(rules::Stage::fault) == 1);
  }
}

TEST_CASE("what runs after a deployment as it was said is no news") {
  for (const bool seen_before_end : {true, false}) {
    CAPTURE(seen_before_end);
    World w(usual());
    w.run(5min);
    w.mark(MarkKind::begin, "v2");
    w.deploy("v2");
    if (seen_before_end) w.run(30s);
    w.mark(MarkKind::end);
    w.run(1min);
    CHECK(w.told(rules::Stage::fault) == 0);
  }
}
