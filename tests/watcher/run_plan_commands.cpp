#include "watcher/run/plan_commands.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "test_folder.hpp"

namespace {

namespace fs = std::filesystem;

struct Planned {
  TestFolder folder;
  rules::ActionSpec action{};

  rules::StepSpec& run() {
    action.name = rules::ActionName("rollback");
    rules::StepSpec step;
    step.what = rules::RunStep{.argv = {"true"}};
    return action.steps.emplace_back(step);
  }
  std::string why_not() const { return watcher::why_plans_cannot_run({&action}, folder.file("")); }
};

void check_foretold(const std::string& why, const std::string& about) {
  INFO(why);
  CHECK(why.find("action.rollback.step ") == 0);
  CHECK(why.find(about) != std::string::npos);
  CHECK(why.find("; do ") != std::string::npos);
}

}  // namespace

TEST_CASE_FIXTURE(Planned, "a step's folder that is not there is foretold") {
  run().dir = folder.file("gone");
  check_foretold(why_not(), "the folder " + folder.file("gone") + " in which it runs is not there");
  std::ofstream(folder.file("gone")) << "a file";
  check_foretold(why_not(), "is not there");
  fs::remove(folder.file("gone"));
  fs::create_directory(folder.file("gone"));
  CHECK(why_not() == "");
}

TEST_CASE_FIXTURE(Planned, "a step's stdin that is not there is foretold, unless a step before may make it") {
  run().stdin_file = folder.file("dump.sql");
  check_foretold(why_not(), "stdin " + folder.file("dump.sql") + ": no such file");
  action.steps.insert(action.steps.begin(), action.steps.front());
  action.steps.front().stdin_file.clear();
  CHECK(why_not() == "");
  action.steps.erase(action.steps.begin());
  fs::create_directory(folder.file("dump.sql"));
  check_foretold(why_not(), "it is a folder");
}

TEST_CASE_FIXTURE(Planned, "a step's stdout that cannot be written is foretold") {
  run().stdout_file = folder.file("logs/out.txt");
  check_foretold(why_not(), "its folder is not there");
  fs::create_directories(folder.file("logs/out.txt"));
  check_foretold(why_not(), "it is a folder");
  fs::remove(folder.file("logs/out.txt"));
  REQUIRE(::mkfifo(folder.file("logs/out.txt").c_str(), 0600) == 0);
  check_foretold(why_not(), "it is a named pipe");
  fs::remove(folder.file("logs/out.txt"));
  CHECK(why_not() == "");
}

TEST_CASE_FIXTURE(Planned, "folders that a step before may make are not missed") {
  run().stdout_file = folder.file("logs/out.txt");
  run().dir = folder.file("made");
  rules::StepSpec maker = action.steps.front();
  maker.stdout_file.clear();
  maker.dir.clear();
  action.steps.insert(action.steps.begin(), maker);
  CHECK(why_not() == "");
  action.steps.erase(action.steps.begin());
  CHECK(why_not() != "");
}
