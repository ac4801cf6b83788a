#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "test_folder.hpp"
#include "watcher/run/spool.hpp"

namespace {

rules::DeployMark some_mark() {
  rules::DeployMark mark;
  mark.service = rules::ServiceName("web");
  mark.at = rules::from_unix_seconds(1'700'000'000.25);
  mark.kind = rules::MarkKind::end;
  mark.revision = rules::Revision("v2");
  mark.policy = rules::RollbackPolicy::forbidden;
  mark.schema = "42";
  mark.backup = "/var/backups/with \"quotes\"";
  return mark;
}

}  // namespace

TEST_CASE("what a deploy script says while no watcher runs comes back whole") {
  const TestFolder state;
  REQUIRE_FALSE(watcher::spool(state.path, some_mark()));
  std::vector<std::string> unreadable;
  const auto spooled = watcher::read_spool(state.path, unreadable);
  REQUIRE(spooled.size() == 1);
  CHECK(unreadable.empty());
  const auto& mark = std::get<rules::DeployMark>(spooled[0].word);
  CHECK(mark.service.text == "web");
  CHECK(mark.at == some_mark().at);
  CHECK(mark.kind == rules::MarkKind::end);
  CHECK(mark.revision == rules::Revision("v2"));
  CHECK(mark.policy == rules::RollbackPolicy::forbidden);
  CHECK(mark.schema == "42");
  CHECK(mark.backup == some_mark().backup);
}

TEST_CASE("spooled words come back in the order in which they were said, marks and declarations alike") {
  const TestFolder state;
  REQUIRE_FALSE(watcher::spool(state.path, some_mark()));
  REQUIRE_FALSE(watcher::spool(state.path,
                               rules::Declare{rules::ServiceName("web"), rules::Revision("v1"), rules::Standing::bad}));
  for (int i = 0; i < 10; ++i) REQUIRE_FALSE(watcher::spool(state.path, some_mark()));
  std::vector<std::string> unreadable;
  const auto spooled = watcher::read_spool(state.path, unreadable);
  REQUIRE(spooled.size() == 12);
  const auto* word = std::get_if<rules::Declare>(&spooled[1].word);
  REQUIRE(word != nullptr);
  CHECK(word->standing == rules::Standing::bad);
  CHECK(word->revision.text == "v1");
  watcher::remove_spooled(spooled[0]);
  CHECK(watcher::read_spool(state.path, unreadable).size() == 11);
}

TEST_CASE("a spooled file that cannot be read is named and left where it is") {
  const TestFolder state;
  REQUIRE_FALSE(watcher::spool(state.path, some_mark()));
  const std::string damaged = state.path + "/spool/000000000007.json";
  std::ofstream(damaged) << "{\"service\": \"web\"";
  std::ofstream(state.path + "/spool/notes.json") << "somebody else's";
  std::vector<std::string> unreadable;
  CHECK(watcher::read_spool(state.path, unreadable).size() == 1);
  REQUIRE(unreadable.size() == 1);
  CHECK(unreadable[0] == damaged);
  CHECK(std::filesystem::exists(damaged));
}

TEST_CASE("a state directory that cannot be written says so instead of losing the word") {
  const auto problem = watcher::spool("/proc/nowhere", some_mark());
  REQUIRE(problem);
  CHECK(problem->find("/proc/nowhere/spool") != std::string::npos);
}
