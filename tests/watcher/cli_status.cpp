#include <doctest/doctest.h>

#include "cli_support.hpp"

namespace {

std::string shown(const std::string& mode, const std::string& service, const std::string& rule = "") {
  const CliFolder folder;
  FakeWatcher watching;
  watching.replies["/api/v1/status"] = {json_reply(R"({"watcher":{"name":"prod-1","mode":")" + mode +
                                                   R"("},"services":{"web":{)" + service + R"(}},"rules":{)" + rule +
                                                   "}}")};
  return watching(folder.line({"status"})).out;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("SPEC 4: status does not call armed what would do nothing") {
  const std::string ready = R"("state":"armed","flags":[],"rollback_ready":true)";
  CHECK(has(shown("act", ready), " armed "));
  CHECK(has(shown("ask", ready), " would ask "));
  CHECK(has(shown("observe", ready), " would not act (mode observe) "));
  for (const std::string flag : {"paused", "fused"}) {
    CAPTURE(flag);
    const std::string held = R"("state":"armed","flags":[")" + flag + R"("],"rollback_ready":true)";
    CHECK(has(shown("act", held), " would not act (" + flag + ") "));
  }
  const std::string unreadable = R"("state":"armed","flags":["unreadable"],"rollback_ready":true)";
  CHECK(has(shown("act", unreadable), " would ask (unreadable) "));
  CHECK(has(shown("observe", unreadable), " would not act (mode observe) (unreadable) "));
  CHECK(has(shown("act", R"("state":"armed","flags":["blind"],"rollback_ready":true)"), " armed (blind) "));
  CHECK(has(shown("act", R"("state":"incident","flags":["fused"],"rollback_ready":true)"), " incident (fused) "));
  CHECK(has(shown("act", R"("state":"armed","flags":[],"rollback_ready":false)"), " would not act "));
}

TEST_CASE("SPEC 4: status says why nothing is done about a rule that fires, and what a person can do") {
  const std::string rule =
      R"("slow":{"service":"web","state":"firing","missing":["its incident is closed; it has to recover first"]})";
  const std::string line = "slow fires, and nothing is done: its incident is closed; it has to recover first";
  CHECK(has(shown("act", R"("flags":[],"rollback_ready":true)", rule), line + "; by hand: rollbackd rollback web\n"));
  CHECK(has(shown("act", R"("flags":[],"rollback_ready":false)", rule), line + "\n"));
  const std::string idle = R"("slow":{"service":"web","state":"idle","missing":["it is good"]})";
  CHECK_FALSE(has(shown("act", R"("flags":[],"rollback_ready":true)", idle), "nothing is done"));
  CHECK_FALSE(has(shown("act", R"("flags":[],"incident":"i7","rollback_ready":true)", rule), "nothing is done"));
}

TEST_CASE("status says what only a person begins and could not be, beside what is ready") {
  const std::string service =
      R"("state":"armed","flags":[],"rollback_ready":true,"by_hand_not_ready":"action.restore.step 1: no such command")";
  const std::string out = shown("act", service);
  CHECK(has(out, "web: what only a person begins is not ready: action.restore.step 1: no such command\n"));
  CHECK(has(out, " armed "));
}

TEST_CASE("status says by which of several drivers a rollback would go, and why not by the others") {
  const std::string service = R"("state":"armed","flags":[],"rollback_ready":true,"drivers":[)"
                              R"({"driver":"compose","ready":false,"not_ready_reason":"the image is gone"},)"
                              R"({"driver":"http","ready":true,"not_ready_reason":null}])";
  const std::string out = shown("act", service);
  CHECK(has(out, "ready, by http"));
  CHECK(has(out, "web: compose could not roll it back: the image is gone\n"));
  CHECK_FALSE(has(shown("act", R"("state":"armed","flags":[],"rollback_ready":true,"drivers":[])"), ", by "));
}
