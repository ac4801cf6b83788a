#include <doctest/doctest.h>

#include "watcher/run/log.hpp"

TEST_CASE("what a target said cannot break a log line or reach the terminal") {
  CHECK(watcher::log_value("v1.2-rc/3") == "v1.2-rc/3");
  CHECK(watcher::log_value("") == "\"\"");
  CHECK(watcher::log_value("two words") == "\"two words\"");
  CHECK(watcher::log_value("a=b") == "\"a=b\"");
  CHECK(watcher::log_value("say \"x\"\\") == "\"say \\\"x\\\"\\\\\"");
  CHECK(watcher::log_value("line\nevent=forged") == "\"line\\nevent=forged\"");
  CHECK(watcher::log_value("\x1b[31m") == "\"\\x1b[31m\"");
}

TEST_CASE("what a decision has nothing to say of is left out of its line") {
  CHECK(watcher::log_line({"rollback_ready", {{"service", "web"}, {"reason", ""}}}) ==
        "event=rollback_ready service=web");
}
