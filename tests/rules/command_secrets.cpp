#include <doctest/doctest.h>

#include "rules/base/command_secrets.hpp"
#include "rules/base/shell_words.hpp"
#include "rules/incidents/plan.hpp"

// Secrets in the words of commands.

namespace {

using Words = std::vector<std::string>;

std::string told(const Words& argv) {
  rules::StepSpec step;
  step.what = rules::RunStep{argv};
  return rules::describe(step);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a step's text has no secret that stands in its command, in whatever way programs are given one") {
  const std::vector<Words> commands{
      {"/usr/bin/curl", "-sf", "-H", "Authorization: Bearer hunter22", "http://x/"},
      {"curl", "-sfH", "Authorization: Basic hunter22"},
      {"curl", "-HX-Api-Key: hunter22"},
      {"curl", "--header", "X-Api-Key: hunter22"},
      {"curl", "--header=PRIVATE-TOKEN: hunter22"},
      {"curl", "-H", "Cookie: a=b; session=hunter22"},
      {"curl", "-H", "X-Vault-Token:hunter22"},
      {"curl", "-u", "admin:hunter22"},
      {"curl", "-sfu", "admin:hunter22"},
      {"curl", "-uadmin:hunter22"},
      {"curl", "-u", "hunter22:"},
      {"curl", "--user", "admin:hunter22"},
      {"wget", "--user=admin", "--password=hunter22"},
      {"curl", "-b", "session=hunter22"},
      {"curl", "-sbsession=hunter22"},
      {"curl", "--cookie", "a=bcde; session=hunter22"},
      {"curl", "--oauth2-bearer", "hunter22"},
      {"curl", "http://x/?token=hunter22"},
      {"curl", "http://x/?a=b&api_key=hunter22&c=d"},
      {"curl", "-d", "user=a&password=hunter22"},
      {"curl", "-d", R"({"user":"a","list":[{"password": "hunter22"}]})"},
      {"curl", "http://ada:hunter22@x/"},
      {"/bin/sh", "-c", "PGPASSWORD=hunter22 psql shop"},
      {"/bin/sh", "-c", "PGPASSWORD=hunter22;psql shop"},
      {"sh", "-ec", "export API_TOKEN='hunter22'\n./x.sh"},
      {"sh", "-c", "cd /x && curl -sf -H 'X-Auth-Token: hunter22' http://x/ || true"},
      {"sh", "-c", R"(bash -c "curl -H \"Authorization: Bearer hunter22\" http://x/")"},
      {"sh", "-c", "mysql -phunter22 shop < x.sql"},
      {"sh", "-c", R"(curl -d '{"token":"hunter22"}' http://x/)"},
      {"/usr/bin/env", "API_TOKEN=hunter22", "/bin/false"},
      {"aws", "--aws-secret-access-key", "hunter22"},
      {"./deploy.sh", "--password", "hunter22"},
      {"./deploy.sh", "-password", "hunter22"},
      {"./deploy.sh", "-p", "hunter22"},
      {"./deploy.sh", "-phunter22"},
      {"./deploy.sh", "-u", "admin:hunter22"},
      {"timeout", "5", "mysql", "-uroot", "-phunter22", "shop"},
      {"sshpass", "-p", "hunter22", "ssh", "-p", "2222", "x"},
      {"redis-cli", "-a", "hunter22", "flushall"},
      {"docker", "login", "-u", "ada", "-p", "hunter22"},
      {"ldapsearch", "-x", "-w", "hunter22"},
      {"http", "x.org/y", "X-Api-Key:hunter22"},
      {"openssl", "enc", "-pass", "pass:hunter22"},
  };
  for (const Words& command : commands) {
    const std::string text = told(command);
    CAPTURE(text);
    CHECK_FALSE(has(text, "hunter22"));
    CHECK(has(text, "<redacted>"));
    rules::StepSpec captured;
    captured.what = rules::CaptureStep{"x.txt", command};
    CHECK_FALSE(has(rules::describe(captured), "hunter22"));
  }
}

TEST_CASE("what is taken out of a step's text is the secret, the rest stands") {
  CHECK(told({"curl", "-u", "admin:hunter22", "http://x/"}) == "run curl -u admin:<redacted> http://x/");
  CHECK(told({"curl", "-H", "X-Api-Key: hunter22", "y"}) == "run curl -H X-Api-Key: <redacted> y");
  CHECK(told({"sh", "-c", "PGPASSWORD=hunter22 psql shop"}) == "run sh -c PGPASSWORD=<redacted> psql shop");
  CHECK(told({"curl", "http://x/?a=b&token=hunter22&c=d"}) == "run curl http://x/?a=b&token=<redacted>&c=d");
}

TEST_CASE("what only sounds like a secret stands in a step's text") {
  const std::vector<Words> commands{
      {"mkdir", "-p", "releases2024"},
      {"docker", "run", "-u", "1000:1000", "-p", "8080:80", "shop2024:latest"},
      {"docker", "compose", "-p", "shop2024", "up"},
      {"docker", "run", "--user", "www-data:www-data", "x"},
      {"ssh", "-p", "2222", "x"},
      {"./deploy.sh", "-p", "8080"},
      {"./deploy.sh", "-p", "production"},
      {"mysql", "-p", "shop2024"},
      {"psql", "--no-password", "shop2024"},
      {"vault", "--token-file", "/run/token"},
      {"x", "--token", "/run/token", "--password", "$PASSWORD", "PGPASSWORD=$OTHER", "--secret", "{to}"},
      {"curl", "-H", "Accept: text/plain", "-H", "Authorization: Bearer $TOKEN", "-b", "cookies.txt"},
      {"sudo", "-u", "deploy", "./x.sh"},
      {"git", "-c", "user.name=ada", "commit"},
      {"crane", "copy", "my-secret:latest", "other-secret:latest"},
  };
  for (const Words& command : commands) {
    const std::string text = told(command);
    CAPTURE(text);
    CHECK_FALSE(has(text, "<redacted>"));
  }
}

TEST_CASE("a plan is the same plan whatever secret stands in its commands, and its fingerprint has none") {
  const auto fingerprint = [](const std::string& secret) {
    rules::ActionSpec action;
    action.steps.emplace_back();
    action.steps.back().what = rules::RunStep{{"x", "--password", secret}};
    return action.fingerprint();
  };
  CHECK_FALSE(has(fingerprint("hunter22"), "hunter22"));
  CHECK(fingerprint("hunter22") == fingerprint("hunter33"));
}

TEST_CASE("the words of a line are those of a shell") {
  CHECK(rules::shell_words(R"(a 'b c' "d \" e"f; g|h  \  i)") ==
        Words{"a", "b c", "d \" ef", ";", "g", ";", "h", " ", "i"});
  CHECK(rules::shell_words("").empty());
  CHECK(rules::shell_words("''") == Words{""});
}
