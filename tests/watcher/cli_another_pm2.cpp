#include <doctest/doctest.h>

#include <string>

#include "config_files.hpp"
#include "watcher/cli/check_online.hpp"

namespace {

std::vector<watcher::OnlineFinding> found(const std::string& step, const std::string& home = "home = \"/opt/pm2\"\n") {
  return watcher::pm2_of_others(loaded(R"([service.web]
driver = "pm2"
dir = "/"
)" + home + R"(
[probe.h]
type = "host"
[action.rollback]
[[action.rollback.step]]
)" + step + R"(
[[action.rollback.step]]
switch = "last-good"
[rule.x]
when = "h.memory_used > 90%"
for = "5s"
)"));
}

}  // namespace

TEST_CASE("check says of a step that runs another pm2 than the driver how to run that") {
  const auto advice = found("run = [\"pm2\", \"list\"]");
  REQUIRE(advice.size() == 1);
  CHECK(advice[0].subject == "action rollback, step run pm2 list");
  CHECK(advice[0].text.find("pm2 starts another daemon") != std::string::npos);
  CHECK(advice[0].text.find("env.PM2_HOME = \"/opt/pm2\"") != std::string::npos);
  CHECK(found("capture = \"list.txt\"\nrun = [\"pm2\", \"jlist\"]").size() == 1);
  CHECK(found("run = [\"pm2\", \"list\"]\nuser = \"nobody\"", "").size() == 1);
  CHECK(found("run = [\"pm2\", \"list\"]\nenv = { PM2_HOME = \"/opt/pm2\" }").empty());
  CHECK(found("run = [\"true\"]").empty());
}
