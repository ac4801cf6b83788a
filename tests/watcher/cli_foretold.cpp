#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config_files.hpp"
#include "test_folder.hpp"
#include "watcher/cli/check_online.hpp"
#include "watcher/cli/print_plan.hpp"
#include "watcher/serve/plan_json.hpp"

// What check and `rollback --plan` say of steps before they are needed.

namespace {

watcher::Config with(const TestFolder& folder, const std::string& more) {
  return loaded("[service.web]\ndir = '" + folder.path + "'\nrollback = ['true', '{to}']\nidentify = ['true']\n" +
                "[probe.h]\ntype = \"host\"\n[rule.x]\nwhen = \"h.memory_used > 90%\"\nfor = \"5s\"\n"
                "respond = [\"restore\"]\n[action.restore]\n[[action.restore.step]]\nrun = ['true']\n" +
                more);
}

}  // namespace

TEST_CASE("check says of each section behind the plan which step is not begun without a backup") {
  const TestFolder folder;
  for (const std::string section : {"on_success", "on_failure", "always"}) {
    CAPTURE(section);
    const auto found = watcher::needed_backups(
        with(folder, "[[action.restore." + section + "]]\nrun = ['sh', '-c', 'psql <$ROLLBACKD_BACKUP']\n"));
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == watcher::OnlineFinding::Kind::advice);
    CHECK(found[0].subject == "action restore");
    CHECK(found[0].text.starts_with(section + ": run sh -c "));
    CHECK(found[0].text.find("uses ROLLBACKD_BACKUP, and fails where no backup is named") != std::string::npos);
  }
  CHECK(watcher::needed_backups(with(folder, "")).empty());
}

TEST_CASE("a plan that is shown says which step of it will not be begun for want of a backup") {
  boost::json::value plan = boost::json::parse(
      R"({"action": "rollback", "steps": [{"section": "on_failure", "text": "run restore.sh", "usual_seconds": null,
          "lacks": "it uses ROLLBACKD_BACKUP, and no backup is known: it will not be begun"}]})");
  std::ostringstream out;
  watcher::print_plan(out, plan);
  CHECK(
      out.str().find("1. run restore.sh\n     it uses ROLLBACKD_BACKUP, and no backup is known: it will not be begun; "
                     "name one with --backup\n") != std::string::npos);
}

TEST_CASE("what could not restore the backup ends its plan, and a backup that is gone is seen before") {
  const TestFolder folder;
  const watcher::Config config =
      with(folder,
           "[[action.restore.step]]\nrun = ['sh', '-c', 'psql <$ROLLBACKD_BACKUP']\n"
           "[[action.restore.step]]\nrun = ['sh', '-c', 'psql <$ROLLBACKD_BACKUP']\non_failure = 'continue'\n"
           "[[action.restore.step]]\nswitch = 'last-good'\n");
  const std::vector<rules::StepSpec>& steps = config.core.actions.at(0).steps;
  CHECK(steps.at(0).on_failure == rules::OnFailure::proceed);
  CHECK(steps.at(1).on_failure == rules::OnFailure::abort);
  CHECK(steps.at(2).on_failure == rules::OnFailure::proceed);
  watcher::RollbackPlan plan;
  plan.what.action = config.core.actions.at(0);
  plan.what.action.steps.at(1).uses_backup = true;
  const auto lacks = [&](const std::string& backup) {
    plan.what.backup = backup;
    const boost::json::value said = boost::json::parse(watcher::plan_json(plan)).at("steps").at(1).at("lacks");
    return said.is_null() ? std::string() : std::string(said.as_string());
  };
  CHECK(lacks(folder.file("gone.dump")) ==
        "it uses ROLLBACKD_BACKUP, and this host has no " + folder.file("gone.dump"));
  std::ofstream(folder.file("b.dump")) << "x";
  CHECK(lacks(folder.file("b.dump")) == "");
  CHECK(lacks("s3://backups/b.dump") == "");
}

TEST_CASE("a path in a script of sh is looked for where the step runs") {
  const TestFolder folder;
  std::filesystem::create_directories(folder.file("bin"));
  std::ofstream(folder.file("there.sh")) << "true\n";
  std::ofstream(folder.file("bin/inner.sh")) << "true\n";
  const auto found = [&](const std::string& script, const std::string& dir = "") {
    const std::string own = dir.empty() ? "" : "dir = '" + dir + "'\n";
    const auto all = watcher::missing_beside(
        with(folder, "[[action.restore.always]]\nrun = ['sh', '-c', '" + script + "']\n" + own));
    return all.empty() ? std::string() : all[0].text;
  };
  CHECK(found("./nosuch && ./there.sh") == "its script starts what is not in " + folder.path + ": ./nosuch");
  CHECK(found("./there.sh; bin/inner.sh").empty());
  CHECK(found("./inner.sh", folder.file("bin")).empty());
  CHECK_FALSE(found("./there.sh", folder.file("bin")).empty());
  CHECK(found("cd bin && ./inner.sh").empty());
  // Nobody knows where it is by then, or the folder is gone, which is told by itself.
  CHECK(found("cd \"$HOME\" && ./nosuch").empty());
  CHECK(found("./nosuch", folder.file("gone")).empty());
  CHECK(found("./nosuch || ./there.sh").empty());
}
