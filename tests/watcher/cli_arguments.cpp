#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli_support.hpp"
#include "watcher/run/spool.hpp"

namespace {

constexpr const char* one_service = "[service.web]\nidentify = ['cat', 'v']\nrollback = ['true', '{to}']\n";
constexpr const char* two_services = "[service.api]\nrollback = ['true']\n[service.web]\n";

FakeWatcher answering(const std::string& target, const std::string& body, unsigned status = 200) {
  FakeWatcher out;
  out.replies[target] = {json_reply(body, status)};
  return out;
}

constexpr const char* accepted = R"({"accepted":true,"text":"so be it","incident":null})";

}  // namespace

TEST_CASE("SPEC 4: wrong usage is exit code 2, help is 0 and names every command") {
  FakeWatcher nobody;
  CHECK(nobody({}).exit_code == 2);
  CHECK(nobody({"elephant"}).exit_code == 2);
  CHECK(nobody({"status", "--elephant"}).exit_code == 2);
  CHECK(nobody({"pause"}).exit_code == 2);
  CHECK(nobody({"pause", "--for", "soon"}).exit_code == 2);
  CHECK(nobody({"deploy"}).exit_code == 2);
  CHECK(nobody({"deploy", "good"}).exit_code == 2);
  CHECK(nobody({"deploy", "mark", "--rollback", "maybe"}).exit_code == 2);
  CHECK(nobody({"rollback", "--to", "-rf"}).exit_code == 2);
  CHECK(nobody({"approve"}).exit_code == 2);
  CHECK(nobody({"fuse", "reset"}).exit_code == 2);
  const CliRun help = nobody({"--help"});
  CHECK(help.exit_code == 0);
  for (const char* word : {"run", "check", "status", "incidents", "explain", "deploys", "deploy", "rollback", "approve",
                           "abort", "pause", "resume", "fuse", "accept-state", "notify", "reload", "version"}) {
    CHECK_MESSAGE(help.out.find(std::string("\n  ") + word + " ") != std::string::npos, word);
  }
}

TEST_CASE("SPEC 4: a configuration that is not there is wrong usage, whatever the command") {
  FakeWatcher nobody;
  const std::vector<std::vector<std::string>> commands{{"run"},
                                                       {"run", "--dry-run"},
                                                       {"check"},
                                                       {"check", "--online"},
                                                       {"check", "--secrets", "--expand"},
                                                       {"status"},
                                                       {"explain"},
                                                       {"deploys"},
                                                       {"incidents"},
                                                       {"incidents", "i1"},
                                                       {"approve", "i1"},
                                                       {"abort", "i1"},
                                                       {"reload"},
                                                       {"rollback", "web"},
                                                       {"rollback", "web", "--plan"},
                                                       {"pause", "--for", "1h"},
                                                       {"resume"},
                                                       {"fuse", "reset", "web"},
                                                       {"accept-state"},
                                                       {"notify", "test", "team"},
                                                       {"deploy", "begin"},
                                                       {"deploy", "good", "v1"}};
  for (std::vector<std::string> words : commands) {
    CAPTURE(words.front());
    words.insert(words.end(), {"--config", "/nonexistent/rollbackd.toml"});
    const CliRun run = nobody(words);
    CHECK(run.exit_code == 2);
    CHECK(run.err.find("there is no such file; name it with --config FILE") != std::string::npos);
    CHECK(run.ran.empty());
  }
}

TEST_CASE("SPEC 4: wrong usage says what is wrong, what was probably meant, and where to look") {
  struct Wrong {
    std::vector<std::string> line;
    std::string what;
    std::string next;
  };
  const std::vector<Wrong> lines{
      {{}, "rollbackd: say what to do: one of run, runner, reload, version, check, status, ", "rollbackd"},
      {{"stauts"}, "rollbackd: there is no command \"stauts\"; did you mean \"status\"? (one of run, ", "rollbackd"},
      {{"--config", "x", "frob"}, "rollbackd: there is no command \"frob\" (one of run, ", "rollbackd"},
      {{"drill"}, "rollbackd: command \"drill\" is not in this version of rollbackd; it has run, ", "rollbackd"},
      {{"--elephant"}, "rollbackd: there is no option --elephant", "rollbackd"},
      {{"deploy"}, "rollbackd deploy: say what to do: one of begin, end, mark, good, bad", "rollbackd deploy"},
      {{"deploy", "bgin"},
       "rollbackd deploy: there is no command \"bgin\"; did you mean \"begin\"?",
       "rollbackd deploy"},
      {{"deploy", "good"}, "rollbackd deploy good: REVISION is required", "rollbackd deploy good"},
      {{"status", "--wach"},
       "rollbackd status: there is no option --wach; did you mean \"--watch\"?",
       "rollbackd status"},
      {{"rollback", "web", "now"},
       "rollbackd rollback: The following argument was not expected: now",
       "rollbackd rollback"},
      {{"pause"}, "rollbackd pause: --for is required", "rollbackd pause"},
      {{"pause", "--fro", "1h"},
       "rollbackd pause: there is no option --fro; did you mean \"--for\"?",
       "rollbackd pause"},
      {{"pause", "--for", "soon"}, "rollbackd pause: --for: expected a duration such as", "rollbackd pause"},
  };
  FakeWatcher nobody;
  for (const Wrong& wrong : lines) {
    CAPTURE(wrong.what);
    const CliRun run = nobody(wrong.line);
    CHECK(run.exit_code == 2);
    CHECK(run.out.empty());
    CHECK(run.err.starts_with(wrong.what));
    CHECK(run.err.ends_with("\nnext: " + wrong.next + " --help\n"));
  }
}

TEST_CASE("SPEC 4: --config and --json may stand before the command, --version is the version") {
  const CliFolder folder(one_service);
  FakeWatcher nobody;
  const CliRun checked = nobody({"--json", "--config", folder.config(), "check"});
  CHECK(checked.exit_code == 0);
  CHECK(checked.out.starts_with("{\"path\":\"" + folder.config()));
  CHECK(nobody({"--version"}).out == nobody({"version"}).out);
  CHECK(nobody({"--version"}).exit_code == 0);
}

TEST_CASE("SPEC 4: no watcher is exit code 3, and is told") {
  const CliFolder folder;
  FakeWatcher nobody;
  const std::vector<std::vector<std::string>> lines{{"status"},       {"explain"},
                                                    {"resume"},       {"reload"},
                                                    {"accept-state"}, {"incidents"},
                                                    {"deploys"},      {"pause", "--for", "1h"},
                                                    {"approve", "x"}, {"fuse", "reset", "web"}};
  for (const auto& words : lines) {
    CAPTURE(words.front());
    const CliRun run = nobody(folder.line(words));
    CHECK(run.exit_code == 3);
    CHECK(run.err.find("no watcher answers at " + folder.path() + "/control.sock") != std::string::npos);
    CHECK(run.out.empty());
  }
}

TEST_CASE("SPEC 4: a refusal is exit code 1 with its reason, and with --json the problem") {
  const CliFolder folder;
  FakeWatcher refusing =
      answering("/api/v1/resume", R"({"title":"Conflict","status":409,"detail":"nothing is paused"})", 409);
  const CliRun text = refusing(folder.line({"resume"}));
  CHECK(text.exit_code == 1);
  CHECK(text.err == "rollbackd: nothing is paused\n");
  const CliRun json = refusing(folder.line({"resume", "--json"}));
  CHECK(json.exit_code == 1);
  CHECK(json.out == "{\"title\":\"Conflict\",\"status\":409,\"detail\":\"nothing is paused\"}\n");
}

TEST_CASE("SPEC 4: words become requests to the watcher") {
  const CliFolder folder;
  struct Word {
    std::vector<std::string> line;
    std::string target;
    std::string body;
  };
  const std::vector<Word> words{
      {{"pause", "--for", "1h", "--service", "web", "--reason", "tests"},
       "/api/v1/pause",
       R"({"service":"web","for":"1h","reason":"tests"})"},
      {{"resume"}, "/api/v1/resume", "{}"},
      {{"fuse", "reset", "web"}, "/api/v1/fuse/reset", R"({"service":"web"})"},
      {{"accept-state"}, "/api/v1/accept-state", "{}"},
      {{"reload"}, "/api/v1/reload", "{}"},
      {{"approve", "2026-web"}, "/api/v1/incidents/2026-web/approve", "{}"},
      {{"abort", "a/b"}, "/api/v1/incidents/a%2Fb/abort", "{}"},
      {{"abort", "--kill", "a"}, "/api/v1/incidents/a/abort", R"({"kill":true})"},
      {{"deploy", "begin", "v2", "--service", "web", "--rollback", "ask", "--schema", "7", "--backup", "/b"},
       "/api/v1/deploys",
       R"({"kind":"begin","service":"web","revision":"v2","rollback":"ask","schema":"7","backup":"/b"})"},
      {{"deploy", "end"}, "/api/v1/deploys", R"({"kind":"end"})"},
      {{"deploy", "end", "--service", "web", "--service", "api"},
       "/api/v1/deploys",
       R"({"kind":"end","services":["web","api"]})"},
      {{"deploy", "bad", "v2"}, "/api/v1/deploys", R"({"kind":"bad","revision":"v2"})"},
  };
  for (const Word& word : words) {
    CAPTURE(word.target);
    FakeWatcher watching = answering(word.target, accepted);
    const CliRun run = watching(folder.line(word.line));
    CHECK(run.exit_code == 0);
    CHECK(run.out == "so be it\n");
    REQUIRE(run.asked.size() == 1);
    CHECK(run.asked[0].method == "POST");
    CHECK(run.asked[0].target == word.target);
    CHECK(run.asked[0].body == word.body);
  }
}

TEST_CASE("SPEC 4: what a deploy script says is spooled when no watcher runs, with exit code 0") {
  const CliFolder folder(one_service);
  FakeWatcher nobody;
  CHECK(nobody(folder.line({"deploy", "mark", "v2", "--schema", "7"})).exit_code == 0);
  CHECK(nobody(folder.line({"deploy", "bad", "v1"})).exit_code == 0);
  std::vector<std::string> unreadable;
  const std::vector<watcher::Spooled> spooled = watcher::read_spool(folder.path() + "/state", unreadable);
  CHECK(unreadable.empty());
  REQUIRE(spooled.size() == 2);
  const auto& mark = std::get<rules::DeployMark>(spooled[0].word);
  CHECK(mark.service.text == "web");
  CHECK(mark.revision->text == "v2");
  CHECK(mark.schema == "7");
  CHECK(std::get<rules::Declare>(spooled[1].word).standing == rules::Standing::bad);
}

TEST_CASE("SPEC 4: a spooled word is of the services that it names, of all when it names none") {
  const CliFolder folder(two_services);
  FakeWatcher nobody;
  const auto spooled = [&] {
    std::vector<std::string> unreadable;
    return watcher::read_spool(folder.path() + "/state", unreadable).size();
  };
  CHECK(nobody(folder.line({"deploy", "end", "--service", "wbe"})).exit_code == 1);
  CHECK(nobody(folder.line({"deploy", "end", "--service", "web", "v2"})).exit_code == 0);
  CHECK(spooled() == 1);
  CHECK(nobody(folder.line({"deploy", "end"})).exit_code == 0);
  CHECK(spooled() == 3);
  CHECK(nobody(folder.line({"deploy", "begin", "--service", "web", "--service", "api"})).exit_code == 0);
  CHECK(spooled() == 5);
  const CliRun unnamed = nobody(folder.line({"deploy", "good", "v1"}));
  CHECK(unnamed.exit_code == 1);
  CHECK(unnamed.err == "rollbackd: say which service is meant (one of api, web)\n");
  CHECK(nobody(folder.line({"deploy", "good", "v1", "--service", "web", "--service", "api"})).exit_code == 2);
}

TEST_CASE("SPEC 4: a deploy script that names its service is not stopped by a mistake elsewhere in the configuration") {
  const CliFolder folder("[rule.x]\n");
  FakeWatcher nobody;
  const CliRun named = nobody(folder.line({"deploy", "end", "--service", "web"}));
  CHECK(named.exit_code == 0);
  CHECK(named.err.find("rule.x") != std::string::npos);
  CHECK(nobody(folder.line({"deploy", "end"})).exit_code == 1);
}

TEST_CASE("a watcher that this user may not ask is told, and nothing is done without it") {
  const CliFolder folder(one_service);
  std::ofstream(folder.path() + "/control.sock") << "";
  namespace fs = std::filesystem;
  fs::permissions(folder.path() + "/control.sock", fs::perms::none);
  fs::permissions(folder.path(), fs::perms::all);
  constexpr uid_t nobody_user = 65534;
  const bool root = ::geteuid() == 0;
  if (root) REQUIRE(::seteuid(nobody_user) == 0);
  FakeWatcher nobody;
  const CliRun rollback = nobody(folder.line({"rollback"}));
  const CliRun mark = nobody(folder.line({"deploy", "mark"}));
  if (root) REQUIRE(::seteuid(0) == 0);
  CHECK(rollback.exit_code == 3);
  CHECK(rollback.ran.empty());
  CHECK(rollback.err.find("no watcher answers at") != std::string::npos);
  CHECK(mark.exit_code == 3);
  CHECK_FALSE(fs::exists(folder.path() + "/state/spool"));
}

TEST_CASE("SPEC 4: rollback without a watcher runs in this process, and its exit code is the answer") {
  const CliFolder folder(one_service);
  FakeWatcher nobody;
  nobody.run_returns = 1;
  const CliRun run = nobody(folder.line({"rollback", "web", "--to", "v1", "--force"}));
  CHECK(run.exit_code == 1);
  REQUIRE(run.ran.size() == 1);
  REQUIRE(run.ran[0].rollback.has_value());
  CHECK(run.ran[0].rollback->service.text == "web");
  CHECK(run.ran[0].rollback->to->text == "v1");
  CHECK(run.ran[0].rollback->force);
  const CliRun unknown = nobody(folder.line({"rollback", "wbe"}));
  CHECK(unknown.exit_code == 1);
  CHECK(unknown.ran.empty());
}

TEST_CASE("SPEC 4: run starts only with a configuration without errors, --dry-run is passed on") {
  const CliFolder good(one_service);
  FakeWatcher nobody;
  const CliRun dry = nobody(good.line({"run", "--dry-run"}));
  REQUIRE(dry.ran.size() == 1);
  CHECK(dry.ran[0].dry_run);
  const CliFolder bad("[rule.x]\n");
  const CliRun refused = nobody(bad.line({"run"}));
  CHECK(refused.exit_code == 1);
  CHECK(refused.ran.empty());
  CHECK(refused.err.find("rollbackd.toml:4:1: error: rule.x: ") != std::string::npos);
}

TEST_CASE("commands reach the watcher though the rest of the configuration is wrong meanwhile") {
  const CliFolder folder("[rule.x]\n");
  FakeWatcher watching = answering("/api/v1/resume", accepted);
  CHECK(watching(folder.line({"resume"})).exit_code == 0);
}
