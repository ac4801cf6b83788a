#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "config_files.hpp"
#include "watcher/cli/check_online.hpp"

namespace {

std::vector<watcher::OnlineFinding> found(const std::string& respond) {
  return watcher::unreached_rungs(loaded(R"([service.web]
rollback = ["true"]
[probe.h]
type = "host"
[action.freeze]
[[action.freeze.step]]
run = ["true"]
[action.restart]
[[action.restart.step]]
run = ["true"]
[rule.x]
when = "h.memory_used > 90%"
for = "5s"
respond = [)" + respond + "]\n"));
}

}  // namespace

TEST_CASE("check says of rungs behind one that switches when they are taken, and where their steps belong") {
  const auto advice = found("\"restart\", \"rollback\", \"freeze\"");
  REQUIRE(advice.size() == 1);
  CHECK(advice[0].kind == watcher::OnlineFinding::Kind::advice);
  CHECK(advice[0].subject == "rule x");
  CHECK(
      advice[0].text ==
      "respond has freeze behind rollback, which switches: that is only taken where rollback cannot begin (no target, "
      "a limit, a deploy mark that forbids it). After a switch that failed or did not help nothing more is done by "
      "itself; what has to be done then belongs into [[action.rollback.on_failure]]");
  CHECK(found("\"rollback\", \"freeze\", \"restart\"")[0].text.starts_with(
      "respond has freeze, restart behind rollback"));
  CHECK(found("\"restart\", \"freeze\", \"rollback\"").empty());
  CHECK(found("\"rollback\"").empty());
}
