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

// Of two drivers.
void look_at_both(World& w, const std::string& of_compose, const std::string& of_http) {
  rules::ReadinessRead read{rules::ServiceName("web"), w.now(), of_compose.empty() || of_http.empty(), ""};
  if (!read.ready) read.reason = "compose: " + of_compose + "; http: " + of_http;
  read.drivers = {{"compose", of_compose}, {"http", of_http}};
  w.observe(read);
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

TEST_CASE("that the faster of two drivers is not ready is told once, and once that both are again") {
  World w(usual());
  w.settle_on_v2();
  look_at_both(w, "", "");
  const int before = w.told(Stage::fault);
  look_at_both(w, "the image is gone", "");
  look_at_both(w, "the image is gone", "");
  CHECK(w.told(Stage::fault) == before + 1);
  CHECK(w.told_text("A rollback would go by http. compose: the image is gone"));
  CHECK(w.service().rollback_ready);
  CHECK(w.service().drivers == std::vector<rules::DriverReadiness>{{"compose", "the image is gone"}, {"http", ""}});
  look_at_both(w, "", "");
  look_at_both(w, "", "");
  CHECK(w.told(Stage::fault) == before + 2);
  CHECK(w.told_text("A rollback would go by compose."));
}

TEST_CASE("a slower driver that is not ready is told too, and none that is as what it is") {
  World w(usual());
  w.settle_on_v2();
  look_at_both(w, "", "");
  const int before = w.told(Stage::fault);
  look_at_both(w, "", "Bad credentials");
  CHECK(w.told(Stage::fault) == before + 1);
  CHECK(w.told_text("A rollback would go by compose. http: Bad credentials"));
  look_at_both(w, "the image is gone", "Bad credentials");
  CHECK(w.told(Stage::fault) == before + 2);
  CHECK(w.told_text("compose: the image is gone; http: Bad credentials"));
  CHECK_FALSE(w.service().rollback_ready);
}

TEST_CASE("what one of several drivers is not ready for is not told during a deployment") {
  World w(usual());
  w.settle_on_v2();
  look_at_both(w, "", "");
  const int before = w.told(Stage::fault);
  w.mark(rules::MarkKind::begin);
  look_at_both(w, "make: no such command", "");
  CHECK(w.told(Stage::fault) == before);
  w.mark(rules::MarkKind::end);
  look_at_both(w, "make: no such command", "");
  CHECK(w.told(Stage::fault) == before + 1);
}
