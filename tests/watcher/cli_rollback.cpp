#include <doctest/doctest.h>

#include "cli_support.hpp"

// What `rollback` shows and asks before it does something.

namespace {

constexpr const char* one_service = "[service.web]\nidentify = ['cat', 'v']\nrollback = ['true', '{to}']\n";
constexpr const char* harmless =
    R"({"action":"rollback","from":"v2","to":"v1","schema_from":"7","schema_to":"6","backup":null,"undoes":["code"],"loses":[],"commits":["3f2a9c1 prices"],"usual_seconds":65,"steps":[{"section":"steps","text":"http POST /pause","usual_seconds":5},{"section":"steps","text":"switch v1","usual_seconds":60},{"section":"always","text":"notify team","usual_seconds":null}]})";
constexpr const char* losing =
    R"({"action":"restore","from":"v2","to":null,"schema_from":null,"schema_to":null,"backup":"/b/1","undoes":["code","data"],"loses":["data"],"commits":[],"usual_seconds":null,"steps":[{"section":"steps","text":"run scripts/restore.sh","usual_seconds":null}]})";

FakeWatcher planning(const char* plan) {
  FakeWatcher watching;
  watching.replies["/api/v1/rollback"] = {json_reply(plan),
                                          json_reply(R"({"accepted":true,"text":"begun","incident":null})")};
  return watching;
}

}  // namespace

TEST_CASE("SPEC 4: rollback --plan prints what would be done, what is lost and how long it takes") {
  const CliFolder folder(one_service);
  const CliRun run = planning(harmless)(folder.line({"rollback", "web", "--to", "v1", "--plan"}));
  CHECK(run.exit_code == 0);
  REQUIRE(run.asked.size() == 1);
  CHECK(run.asked[0].body == R"({"service":"web","to":"v1","plan":true})");
  CHECK(run.out == R"(action     rollback
runs now   v2
goes to    v1
schema     7 now, 6 there
takes back 3f2a9c1 prices
loses      nothing: it undoes code alone, which runs with the schema of now then
takes      usually 1m5s, and then it is verified
steps:
  1. http POST /pause  (usually 5s)
  2. switch v1  (usually 1m)
always:
  1. notify team
)");
  CHECK(planning(harmless)(folder.line({"rollback", "--plan", "--json"})).out == std::string(harmless) + "\n");
}

TEST_CASE("rollback --plan says which step could not be started now") {
  const CliFolder folder(one_service);
  std::string plan = harmless;
  plan.insert(plan.find('{') + 1, R"("not_ready":"action.restore.step 1: no such command",)");
  const CliRun run = planning(plan.c_str())(folder.line({"rollback", "web", "--plan"}));
  CHECK(run.out.find("not ready  action.restore.step 1: no such command\n") != std::string::npos);
}

TEST_CASE("rollback --plan says which of several drivers it goes by, and why not by those before") {
  const CliFolder folder(one_service);
  std::string plan = harmless;
  plan.insert(plan.find('{') + 1, R"("drivers":[{"driver":"compose","not_ready":"the image is gone"},)"
                                  R"({"driver":"http","not_ready":null},{"driver":"git","not_ready":null}],)");
  const CliRun run = planning(plan.c_str())(folder.line({"rollback", "web", "--plan"}));
  CHECK(run.out.find("not by     compose: the image is gone\ngoes by    http\nelse by    git\n") != std::string::npos);
}

TEST_CASE("SPEC 4: rollback --plan without a watcher is looked at in this process") {
  const CliFolder folder(one_service);
  FakeWatcher nobody;
  nobody.plan = json_reply(losing);
  const CliRun run = nobody(folder.line({"rollback", "--action", "rollback", "--plan"}));
  CHECK(run.exit_code == 0);
  REQUIRE(run.planned.size() == 1);
  CHECK(run.planned[0].service.text == "web");
  CHECK(run.ran.empty());
  CHECK(run.out.find("loses      it undoes data: what was written since is lost") != std::string::npos);
}

TEST_CASE("SPEC 4: what loses data is done by hand only after it was shown and agreed to") {
  const CliFolder folder(one_service);
  const std::vector<std::string> words = folder.line({"rollback", "--action", "restore"});
  const CliRun script = planning(losing)(words);
  CHECK(script.exit_code == 2);
  CHECK(script.asked.size() == 1);
  CHECK(script.err.find("run scripts/restore.sh") != std::string::npos);
  CHECK(script.err.find("say --yes to have it done") != std::string::npos);

  FakeWatcher watching = planning(losing);
  watching.answers = "y";
  const CliRun unsure = watching(words);
  CHECK(unsure.exit_code == 1);
  CHECK(unsure.asked.size() == 1);
  CHECK(unsure.questions.size() == 1);
  CHECK(unsure.err.find("nothing was done") != std::string::npos);

  watching.answers = "yes";
  const CliRun sure = watching(words);
  CHECK(sure.exit_code == 0);
  REQUIRE(sure.asked.size() == 2);
  CHECK(sure.asked[1].body == R"({"action":"restore","yes":true})");

  FakeWatcher begun;
  begun.replies["/api/v1/rollback"] = {json_reply(R"({"accepted":true,"text":"begun","incident":null})")};
  const CliRun with_yes = begun(folder.line({"rollback", "--action", "restore", "--yes"}));
  CHECK(with_yes.exit_code == 0);
  CHECK(with_yes.asked.size() == 1);
}

TEST_CASE("SPEC 4: without a watcher it is asked as well") {
  const CliFolder folder(one_service);
  FakeWatcher nobody;
  nobody.plan = json_reply(losing);
  const std::vector<std::string> words = folder.line({"rollback", "--action", "rollback"});
  CHECK(nobody(words).exit_code == 2);
  CHECK(nobody(words).ran.empty());
  nobody.answers = "yes";
  const CliRun sure = nobody(words);
  REQUIRE(sure.ran.size() == 1);
  CHECK(sure.ran[0].rollback->yes);
}

TEST_CASE("an action that loses nothing is not asked about") {
  const CliFolder folder(one_service);
  std::string same_schema = harmless;
  same_schema.replace(same_schema.find("\"schema_to\":\"6\""), 15, "\"schema_to\":\"7\"");
  FakeWatcher watching = planning(same_schema.c_str());
  const CliRun run = watching(folder.line({"rollback", "--action", "rollback"}));
  CHECK(run.exit_code == 0);
  CHECK(run.questions.empty());
  REQUIRE(run.asked.size() == 2);
  CHECK(run.asked[1].body == R"({"action":"rollback"})");
}

TEST_CASE("that the code goes back and the schema does not is shown and agreed to at a terminal") {
  const CliFolder folder(one_service);
  FakeWatcher watching = planning(harmless);
  watching.answers = "no";
  const CliRun unsure = watching(folder.line({"rollback", "web"}));
  CHECK(unsure.exit_code == 1);
  CHECK(unsure.asked.size() == 1);
  CHECK(unsure.err.find("schema     7 now, 6 there") != std::string::npos);
  REQUIRE(unsure.questions.size() == 1);
  CHECK(unsure.questions[0].find("The schema stays as it is now") != std::string::npos);

  watching.answers = "yes";
  CHECK(watching(folder.line({"rollback", "web"})).asked.size() == 2);
  CHECK(watching(folder.line({"rollback", "web", "--yes"})).questions.empty());
  // A script is not kept from it, nor is anybody where nothing can be said.
  CHECK(planning(harmless)(folder.line({"rollback", "web", "--yes"})).exit_code == 0);
  FakeWatcher silent;
  silent.answers = "no";
  silent.replies["/api/v1/rollback"] = {json_reply("{}", 500), json_reply(R"({"accepted":true,"incident":null})")};
  const CliRun done = silent(folder.line({"rollback", "web"}));
  CHECK(done.exit_code == 0);
  CHECK(done.questions.empty());
}
