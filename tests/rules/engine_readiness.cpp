#include <doctest/doctest.h>

#include "engine_world.hpp"

// What people are told when a rollback could not be done.

using namespace std::chrono_literals;
using namespace world;
using rules::Stage;

namespace {

void look(World& w, const std::string& why_not) {
  w.observe(rules::ReadinessRead{rules::ServiceName("web"), w.now(), why_not.empty(), why_not});
  w.run(20s);
}

}  // namespace

TEST_CASE("that a rollback could not be done is told once, and once that it could be done again") {
  World w(usual());
  w.settle_on_v2();
  look(w, "");
  const int before = w.told(Stage::fault);
  look(w, "/opt/app/.git/index.lock is there");
  look(w, "/opt/app/.git/index.lock is there");
  CHECK(w.told(Stage::fault) == before + 1);
  CHECK(w.told_text("/opt/app/.git/index.lock is there"));
  CHECK(w.service().not_ready_reason == "/opt/app/.git/index.lock is there");
  CHECK_FALSE(w.service().rollback_ready);
  look(w, "");
  look(w, "");
  CHECK(w.told(Stage::fault) == before + 2);
  CHECK(w.told_text("What was in the way is gone."));
  CHECK(w.service().rollback_ready);
}

TEST_CASE("that a rollback could be done again is not told while there is nothing to roll back to") {
  World w(usual());
  w.run(30s);  // v1 alone has been seen
  look(w, "/opt/app/.git/index.lock is there");
  look(w, "");
  CHECK(w.told_text("no good revision is known that ran before"));
  CHECK_FALSE(w.told_text("What was in the way is gone."));
  CHECK_FALSE(w.service().rollback_ready);
}

TEST_CASE("that a rollback could not be done is not told during a deployment, but when it is still so afterwards") {
  World w(usual());
  w.settle_on_v2();
  look(w, "");
  const int before = w.told(Stage::fault);
  w.mark(rules::MarkKind::begin);
  look(w, "make: no such command");
  CHECK(w.told(Stage::fault) == before);
  w.mark(rules::MarkKind::end);
  look(w, "make: no such command");
  CHECK(w.told(Stage::fault) == before + 1);
}
