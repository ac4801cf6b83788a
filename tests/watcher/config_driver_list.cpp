#include <doctest/doctest.h>

#include <variant>

#include "config_files.hpp"

// Several drivers of one service: driver = ["compose", "http"].

namespace {

const std::string http_table =
    "[service.web.http]\n"
    "version = 'http://127.0.0.1:3001/version'\n"
    "dispatch = 'POST http://127.0.0.1:1/dispatches'\n"
    "body.json = { to = '{to}', id = '{id}' }\n"
    "runs = 'http://127.0.0.1:1/runs'\n";
const std::string health = "[service.web]\nhealth = 'http://127.0.0.1:3001/health'\nrules = ['down for 30s']\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string found(const std::string& text) { return findings_text(load_text(health + text)); }

const watcher::DriverChain& chain_of(const watcher::Config& config) {
  return std::get<watcher::DriverChain>(config.drivers.front().driver);
}

}  // namespace

TEST_CASE("several drivers are an array, with a table of its own for each") {
  const watcher::Config config = loaded(health + "timeout = '7m'\ndriver = ['compose', 'http']\n" + http_table +
                                        "[service.web.compose]\nfile = '/opt/app/compose.yml'\n");
  const watcher::DriverChain& chain = chain_of(config);
  REQUIRE(chain.links.size() == 2);
  CHECK(chain.links[0].word == "compose");
  const auto& compose = std::get<watcher::ComposeDriver>(chain.links[0].kind);
  CHECK(compose.files == std::vector<std::string>{"/opt/app/compose.yml"});
  CHECK(compose.dir == "/opt/app");
  CHECK(std::get<watcher::HttpDriver>(chain.links[1].kind).workflow->version.value == "http://127.0.0.1:3001/version");
  CHECK(config.drivers.front().dir == "/opt/app");  // of its steps
  CHECK(config.core.services.front().has_driver);
  CHECK(config.core.services.front().has_identity);
  CHECK(config.core.services.front().resumes_switch);
  CHECK(config.core.services.front().arm == rules::Arm::deploy);
}

TEST_CASE("a driver's table may be left out where nothing has to be in it, and one driver may be an array too") {
  const watcher::Config config =
      loaded(health + "driver = ['git', 'compose']\ndir = '/opt/app'\n[service.web.git]\nrestart = ['true']\n");
  CHECK(std::get<watcher::GitDriver>(chain_of(config).links[0].kind).dir == "/opt/app");
  CHECK(std::get<watcher::ComposeDriver>(chain_of(config).links[1].kind).dir == "/opt/app");
  const watcher::Config one =
      loaded(health + "driver = ['git']\n[service.web.git]\ndir = '/opt/app'\nrestart = ['true']\n");
  CHECK(std::get<watcher::GitDriver>(one.drivers.front().driver).dir == "/opt/app");
  CHECK(one.drivers.front().dir == "/opt/app");
}

TEST_CASE("each of several drivers may have a folder of its own, where its commands start") {
  const watcher::Config config =
      loaded(health +
             "driver = ['command', 'git']\ndir = '/opt/app'\n"
             "[service.web.git]\ndir = '/srv/checkout'\nbuild = ['./build']\nrestart = ['true']\n"
             "[service.web.command]\nswitch = ['./swap', '{to}']\nready = ['./could']\n");
  const watcher::DriverChain& chain = chain_of(config);
  CHECK(std::get<watcher::GitDriver>(chain.links[1].kind).build.front().front() == "/srv/checkout/build");
  CHECK(std::get<watcher::CommandDriver>(chain.links[0].kind).switch_to.front() == "/opt/app/swap");
  CHECK(config.drivers.front().dir == "/opt/app");
}

TEST_CASE("what is written out for several drivers is read as the same") {
  const watcher::Config config =
      loaded(health + "driver = ['compose', 'http', 'git']\ndir = '/opt/app'\n" + http_table +
             "[service.web.compose]\nfile = '/opt/app/compose.yml'\n"
             "[service.web.git]\ndir = '/srv/checkout'\nrestart = ['true']\n");
  const std::string text = watcher::expand(config);
  CHECK(contains(text, "driver = [\"compose\", \"http\", \"git\"]"));
  CHECK(contains(text, "[service.web.compose]"));
  const watcher::Config again = loaded(text);
  CHECK(watcher::expand(again) == text);
  CHECK(std::get<watcher::GitDriver>(chain_of(again).links[2].kind).dir == "/srv/checkout");
}

TEST_CASE("whatever else one may write for several drivers is refused with what to write") {
  struct Guess {
    std::string text;
    std::string says;
  };
  const Guess guesses[] = {
      {"driver = ['compose', 'http']\nfile = '/opt/app/compose.yml'\n" + http_table,
       "file: is a key of compose: where a service has several drivers it stands in a table of its own; write it below "
       "[service.web.compose]"},
      {"driver = ['git', 'pm2']\nbuild = ['make']\n",
       "build: is a key of git and pm2: where a service has several drivers it stands in a table of its own; write it "
       "below [service.web.git] or [service.web.pm2]"},
      {"driver = ['compose', 'http']\ncompose = ['docker', 'compose']\n" + http_table, "compose: is a key of compose"},
      {"driver = ['compose', 'http']\n",
       "\"http\" has keys that must be there: write [service.web.http] with version, dispatch, runs"},
      {"driver = ['compose', 'gti']\n", "unknown \"gti\"; did you mean \"git\"? (one of command, git,"},
      {"driver = ['compose', 'compose']\n", "\"compose\" is there twice"},
      {"driver = []\n", "is empty; name a driver, or leave it out"},
      {"driver = 'compose, http'\n", "write driver = [\"compose\", \"http\"], the fastest first"},
      {"driver = ['compose', 7]\n", "write driver = [\"compose\", \"http\"], the fastest first"},
      {"[[service.web.driver]]\ntype = 'compose'\n",
       "write driver = [\"compose\", \"http\"], the fastest first, and the keys of each in a table of its own: "
       "[service.web.compose], [service.web.http]"},
      {"[service.web.driver.compose]\nfile = 'x'\n", "write driver = [\"compose\", \"http\"], the fastest first"},
      {"driver = ['compose', 'git']\n" + http_table, "http: is the table of a driver that `driver` does not name"},
      {"driver = ['compose', 'git']\nrollback = ['./back']\n",
       "rollback: is a key of command, which `driver` does not name; add \"command\" there"},
      {"driver = ['git', 'command']\n[service.web.command]\nidentify = ['true']\n",
       "service.web.command: has no switch = [...]: it could never roll back"},
      {"driver = ['command', 'git']\n[service.web.command]\nswitch = ['true', '{to}']\n",
       "warning: service.web.command: nobody can say when it could not switch"},
      {"driver = ['git', 'http']\n" + http_table + "timeout = '5m'\n",
       "service.web.http.timeout: is the service's, for all of its drivers; write it below [service.web]"},
      {"driver = ['git', 'compose']\n[service.web.compose]\nfiel = 'x'\n",
       "service.web.compose: unknown key \"fiel\"; did you mean \"file\"?"},
      {"driver = 'compose'\n[service.web.compose]\nfile = 'x'\n",
       "whose keys stand in [service.web] itself; write them there, or driver = [\"compose\"]"},
      {"driver = 'compose'\nfile = 'x'\n" + http_table,
       "http: is the table of another driver; write driver = [\"compose\", \"http\"]"},
      {"[service.web.compose]\nfile = 'x'\n", "no `driver` names it; write driver = [\"compose\"]"},
      {"driver = ['compose', 'http']\n[service.web.compose]\nswitch = ['true']\n" + http_table,
       "the compose driver does this itself"},
  };
  for (const Guess& guess : guesses) {
    CAPTURE(guess.text);
    CHECK_MESSAGE(contains(found(guess.text), guess.says), found(guess.text));
  }
}

TEST_CASE("a mistake of several drivers is told once, at its line") {
  CHECK(
      found("driver = ['compose', 'gti']\n") ==
      "4:22: error: service.web.driver: unknown \"gti\"; did you mean \"git\"? (one of command, git, compose, systemd, "
      "pm2, http, kubernetes)\n");
  CHECK(
      found(
          "driver = ['compose', 'git']\nbuild = ['make']\ndir = '/opt/app'\n[service.web.git]\nrestart = ['true']\n") ==
      "5:9: error: service.web.build: is a key of git: where a service has several drivers it stands in a table of "
      "its own; write it below [service.web.git]\n");
  CHECK(
      found("driver = 'git'\n[service.web.git]\npaths = ['a']\n") ==
      "5:1: error: service.web.git: is a table of driver \"git\", whose keys stand in [service.web] itself; write them "
      "there, or driver = [\"git\"]\n");
}

TEST_CASE("services with several drivers are still told when they would switch each other") {
  const std::string text = health +
                           "driver = ['compose', 'git']\ndir = '/opt/app'\n[service.web.git]\nrestart = ['true']\n" +
                           "[service.api]\ndriver = 'git'\ndir = '/opt/app'\nrestart = ['true']\n";
  CHECK(contains(findings_text(load_text(text)), "would switch what service"));
}

TEST_CASE("the commands of several drivers are known by the table that they stand in") {
  const watcher::Config config = loaded(health +
                                        "driver = ['git', 'command']\ndir = '/opt/app'\n"
                                        "[service.web.git]\nbuild = ['make']\nrestart = ['true']\n"
                                        "[service.web.command]\nswitch = ['./swap', '{to}']\n");
  std::string owners;
  for (const watcher::NamedCommand& command : watcher::commands_of(config)) owners += command.owner + " ";
  CHECK(contains(owners, "service.web.git.build"));
  CHECK(contains(owners, "service.web.command.switch"));
}
