#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "cli_support.hpp"

namespace {

std::string help(const std::string& word) { return FakeWatcher()({"help", word}).out; }

// What bash offers after these words.
std::string completed(const std::string& words, int at) {
  const TestFolder folder;
  std::ofstream(folder.path + "/words") << FakeWatcher()({"help", "--completion"}).out;
  const std::string script = "source " + folder.path + "/words; COMP_WORDS=(" + words +
                             "); COMP_CWORD=" + std::to_string(at) + "; _rollbackd; echo ${COMPREPLY[@]}";
  FILE* const shell = popen(("bash -c '" + script + "'").c_str(), "r");
  REQUIRE(shell != nullptr);
  std::string out;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), shell) != nullptr) out += part.data();
  CHECK(pclose(shell) == 0);
  return out;
}

}  // namespace

TEST_CASE("help tells of a key what it means, how it is written and what holds without it") {
  CHECK(help("probe.interval") ==
        "probe.interval\n  How often it is asked.\n  value: a duration, at least 10ms\n  when left out: \"5s\"\n");
  CHECK(help("rule.when").find("\n  required\n") != std::string::npos);
  CHECK(help("probe.port").starts_with("probe.port  (only tcp)\n"));
  CHECK(help("rule.severity").find("\n  P2: asks\n") != std::string::npos);
}

TEST_CASE("help of a key under the name that a table has in the file is help of the key") {
  CHECK(help("rule.slow.for") == help("rule.for"));
  CHECK(help("action.step.timeout").starts_with("action.step.timeout\n"));
}

TEST_CASE("help of a kind of table, of a type and of a command tells all of it") {
  CHECK(help("rule").starts_with("[rule.NAME]  What is bad"));
  CHECK(help("probe.tcp").find("probe.port") != std::string::npos);
  CHECK(help("probe.tcp").find("probe.run") == std::string::npos);
  CHECK(help("check").find("--expand") != std::string::npos);
}

TEST_CASE("help of a word that nothing has names the nearest, and is wrong usage") {
  const CliRun run = FakeWatcher()({"help", "probe.intervl"});
  CHECK(run.exit_code == 2);
  CHECK(run.err ==
        "rollbackd help: there is no key or command \"probe.intervl\"; did you mean \"probe.interval\"?\n"
        "next: rollbackd help --reference\n");
}

TEST_CASE("SPEC 4: help prints JSON when it is asked to") {
  CHECK(FakeWatcher()({"help", "probe.timeout", "--json"}).out ==
        "{\"keys\":[{\"key\":\"probe.timeout\",\"type\":\"a duration, at least 10ms\",\"only\":[],\"required\":false,"
        "\"when_left_out\":\"the smaller of interval and 5s\",\"meaning\":\"How long an answer may take.\"}]}\n");
}

TEST_CASE("bash completes commands, their options, and the keys of the configuration") {
  CHECK(completed("rollbackd che", 1) == "check\n");
  CHECK(completed("rollbackd check --exp", 2) == "--expand\n");
  CHECK(completed("rollbackd deploy be", 2) == "begin\n");
  CHECK(completed("rollbackd help probe.int", 2) == "probe.interval\n");
}

TEST_CASE("bash completes behind names of services and values of options as before them, for every command") {
  CHECK(completed("rollbackd rollback web --pl", 3) == "--plan\n");
  CHECK(completed("rollbackd rollback web --to v1 --reas", 5) == "--reason\n");
  CHECK(completed("rollbackd --config check de", 3) == "deploys deploy\n");
  CHECK(completed("rollbackd deploy begin v1 --serv", 4) == "--service\n");
  CHECK(completed("rollbackd pause --service deploy --fo", 4) == "--for\n");
  CHECK(completed("rollbackd help noti", 2).starts_with("notify"));
  for (const std::string command :
       {"approve i1", "abort i1", "ack i1", "explain slow", "incidents i1", "fuse reset web", "deploy good v1",
        "deploy mark v1", "notify test team", "status x"}) {
    CAPTURE(command);
    const int words = 1 + static_cast<int>(std::count(command.begin(), command.end(), ' '));
    CHECK(completed("rollbackd " + command + " --conf", words + 1) == "--config\n");
  }
}

TEST_CASE("help of a word that is a command's and the configuration's names both, and each can be had") {
  const std::string both = help("notify");
  CHECK(both.find("Usage: ") != std::string::npos);
  CHECK(both.find("rollbackd help notify.NAME") != std::string::npos);
  CHECK(both.find("rollbackd help notify.KEY") != std::string::npos);
  CHECK(help("notify.NAME").starts_with("[notify.NAME]"));
  CHECK(help("[notify.NAME]") == help("notify.NAME"));
  CHECK(help("notify.on").starts_with("notify.on"));
  CHECK(help("rollback").find("rollbackd help service.rollback\n") != std::string::npos);
  CHECK(help("check").find("rollbackd help probe.check\n") != std::string::npos);
}

TEST_CASE("help of a key without its table lists those that are called so") {
  const std::string keys = help("interval");
  CHECK(keys.find("probe.interval") != std::string::npos);
}
