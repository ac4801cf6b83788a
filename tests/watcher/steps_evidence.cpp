#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "test_folder.hpp"
#include "watcher/drivers/compose_containers.hpp"
#include "watcher/drivers/environment_secrets.hpp"
#include "watcher/steps/evidence.hpp"

namespace {

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string written(const std::string& file, const std::string& said) {
  const TestFolder folder;
  CHECK_FALSE(watcher::write_evidence(folder.path, file, said));
  return content(folder.path + "/" + file);
}

std::vector<std::string> secrets_of(const std::string& name, const std::string& value) {
  std::vector<std::string> out;
  watcher::take_secrets(name, value, out);
  return out;
}

}  // namespace

TEST_CASE("evidence that people open as a text does nothing to their terminal") {
  const std::string hostile = "a\x1b]52;c;eA==\x07\n\xe2\x80\xae b\n";
  for (const char* file : {"logs.txt", "logs.log", "logs", "logs.bin"}) {
    CAPTURE(file);
    CHECK(written(file, hostile) == "a\\e]52;c;eA==\\x07\nU+202E b\n");
  }
  // A zero byte does not turn a text into something else.
  CHECK(written("logs.txt", std::string("a\0\x1b[2J", 6)) == "a\\x00\\e[2J");
  const std::string binary("\x1f\x8b\0\x1b\xff", 5);
  CHECK(written("heap.gz", binary) == binary);
}

TEST_CASE("long evidence is written in pieces without a seam, and never larger than a file may be") {
  std::string lines;
  for (int i = 0; i < 40'000; ++i) lines += "line \xc3\xa4 " + std::to_string(i) + "\n";
  CHECK(written("a.txt", lines) == lines);
  std::string wide;
  for (int i = 0; i < 50'000; ++i) wide += "\xe2\x82\xac";
  CHECK(written("a.txt", wide) == wide);
  const std::string escapes = written("a.txt", std::string(8 * 1024 * 1024, '\x01'));
  CHECK(escapes.size() <= static_cast<std::size_t>(watcher::evidence_file_max) + 100);
  CHECK(escapes.ends_with("[the rest is left out: the file would be too large]\n"));
}

TEST_CASE("what is called a secret in an application's environment is one, and half of a log is not") {
  using Values = std::vector<std::string>;
  for (const char* name :
       {"PASSWORD", "DB_PASSWORD", "PGPASSWORD", "api_token", "STRIPE_KEY", "KEY_FILE", "client-secret"}) {
    CAPTURE(name);
    CHECK(secrets_of(name, "hunter22") == Values{"hunter22"});
  }
  for (const char* name : {"KEYSPACE", "MAX_TOKENS", "MONKEY", "PATH", "COMPASS_MODE"}) {
    CAPTURE(name);
    CHECK(secrets_of(name, "hunter22").empty());
  }
  CHECK(secrets_of("TOKEN", "short").empty());
  CHECK(secrets_of("TOKEN_KEY", "86400.5").empty());
  CHECK(secrets_of("KEY", "two\nlines").empty());
  CHECK(secrets_of("DATABASE_URL", "postgres://app:hunter22@db:5432/shop") == Values{"hunter22"});
  for (const char* url : {"http://db:5432/a@b", "postgres://app@db/shop", "no address", ""})
    CHECK(secrets_of("DATABASE_URL", url).empty());
}

TEST_CASE("a container's secrets are known from its environment") {
  const auto parsed =
      watcher::parse_containers(R"([{"Id": "1", "Image": "sha256:1", "State": {"Status": "running"},)"
                                R"( "Config": {"Env": ["DB_PASSWORD=hunter22", "LANG=C.UTF-8", "EMPTY", "A_KEY="]}}])");
  const auto* const containers = std::get_if<std::vector<watcher::ComposeContainer>>(&parsed);
  REQUIRE(containers != nullptr);
  CHECK(containers->front().secrets == std::vector<std::string>{"hunter22"});
}

TEST_CASE(
    "what is only to be looked at has its time and no more, TERM and KILL are within it, and nothing waits longer") {
  using namespace std::chrono_literals;
  for (const rules::Duration limit : {rules::Duration(10s), rules::Duration(300ms), rules::Duration(1h)}) {
    probes::ChildSpec child;
    watcher::bound_for_evidence(child, limit);
    CHECK(child.limit + child.grace == limit);
    CHECK(child.grace > 0s);
    CHECK(child.grace <= 1s);
    CHECK(child.limit >= child.grace);
    CHECK(child.left_at_limit);
  }
}
