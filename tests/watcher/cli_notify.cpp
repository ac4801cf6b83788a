#include <fstream>

#include "cli_support.hpp"
#include "notify_receiver.hpp"

using namespace notify_receiver;

namespace {

std::string notifiers(const std::string& url) {
  return "name = 'prod-1'\n[notify.team]\ntype = 'slack'\nurl = '" + url + "'\non = ['failed']\nseverity = ['P0']\n" +
         "[notify.hook]\ntype = 'webhook'\nurl = { file = 'url' }\nheader.Authorization = 'Bearer "
         "t'\n[service.web]\nrollback = ['true']\n";
}

}  // namespace

TEST_CASE("SPEC 4: notify test sends one message through the notifier, whatever its filters say") {
  const Receiver receiver([](const std::string&) { return status("200 OK"); });
  const CliFolder folder(notifiers(receiver.url("/team")));
  std::ofstream(folder.path() + "/url") << receiver.url("/secret-path") << "\n";
  FakeWatcher nobody;
  const CliRun slack = nobody(folder.line({"notify", "test", "team"}));
  CHECK(slack.err.empty());
  CHECK(slack.exit_code == 0);
  CHECK(slack.out == "delivered to team\n");
  const CliRun hook = nobody(folder.line({"notify", "test", "hook", "--json"}));
  CHECK(hook.exit_code == 0);
  CHECK(hook.out == "{\"notifier\":\"hook\",\"delivered\":true,\"error\":\"\"}\n");
  REQUIRE(receiver.requests().size() == 2);
  CHECK(receiver.requests()[0].starts_with("POST /team "));
  CHECK(body_of(receiver.requests()[0]).find("Test message of rollbackd on prod-1") != std::string::npos);
  CHECK(receiver.requests()[1].starts_with("POST /secret-path "));
  CHECK(receiver.requests()[1].find("Authorization: Bearer t\r\n") != std::string::npos);
  CHECK(body_of(receiver.requests()[1]).find("Nothing is wrong") != std::string::npos);
}

TEST_CASE("SPEC 4: notify test says why a message was not delivered, without the secret, and is exit code 1") {
  const Receiver receiver([](const std::string&) { return status("403 Forbidden"); });
  const CliFolder folder(notifiers(receiver.url("/team")));
  std::ofstream(folder.path() + "/url") << receiver.url("/secret-path") << "\n";
  FakeWatcher nobody;
  const CliRun refused = nobody(folder.line({"notify", "test", "hook"}));
  CHECK(refused.exit_code == 1);
  CHECK(refused.out.empty());
  CHECK(refused.err.starts_with("rollbackd: hook was not told: "));
  CHECK(refused.err.find("403") != std::string::npos);
  CHECK(refused.err.find("secret-path") == std::string::npos);
  const CliRun unknown = nobody(folder.line({"notify", "test", "taem"}));
  CHECK(unknown.exit_code == 1);
  CHECK(unknown.err == "rollbackd: there is no notifier taem; did you mean \"team\"? (one of hook, team)\n");
  CHECK(receiver.requests().size() == 1);
}

TEST_CASE("notify fields lists what a template may have in braces") {
  const CliFolder folder("");
  FakeWatcher nobody;
  const CliRun fields = nobody(folder.line({"notify", "fields"}));
  CHECK(fields.exit_code == 0);
  CHECK(fields.out.starts_with("FIELD          IS\n{title}        one line: what happened\n"));
  for (const char* field : {"{text}", "{impact}", "{runbook}", "{status_page}", "{duration}"})
    CHECK(fields.out.find(field) != std::string::npos);
}
