#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "drivers_support.hpp"
#include "probes/net/resolver.hpp"
#include "watcher/steps/evidence.hpp"
#include "watcher/steps/performer.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;
using tcp = boost::asio::ip::tcp;

// Notes what it is asked and answers as it is told.
struct FakeDriver final : watcher::Driver {
  watcher::SwitchRequest asked;
  rules::StepResult answer;
  std::vector<watcher::EvidenceCommand> commands;  // of evidence
  std::vector<std::string> known;                  // secrets of what runs
  bool is_starved = false;                         // memory runs out in the middle of a switch
  boost::asio::awaitable<rules::RevisionRead> identify() override { co_return rules::RevisionRead(); }
  boost::asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision>) override {
    co_return rules::ReadinessRead();
  }
  boost::asio::awaitable<std::vector<watcher::EvidenceCommand>> evidence() override { co_return commands; }
  std::vector<std::string> secrets() const override { return known; }
  boost::asio::awaitable<rules::StepResult> switch_to(watcher::SwitchRequest request) override {
    asked = request;
    if (is_starved) throw std::bad_alloc();
    co_return answer;
  }
  std::string aftermath() const override { return {}; }
};

struct Fixture {
  Folder folder;
  probes::Resolver resolver;
  FakeDriver driver;
  std::string evidence = folder.path + "/incidents/i-1/evidence";
  std::vector<std::string> secrets;  // of the whole configuration

  rules::Perform command(rules::StepSpec step) const {
    rules::Perform perform;
    perform.id.incident = rules::IncidentId("i-1");
    perform.step = std::move(step);
    perform.step.timeout = 30s;
    perform.context.service = rules::ServiceName("web");
    perform.context.incident = perform.id.incident;
    perform.context.rule = rules::RuleName("errors");
    perform.context.from = rules::Revision("v2");
    perform.context.to = rules::Revision("v1");
    perform.context.reason = "31% errors";
    return perform;
  }
  rules::StepResult perform(rules::Perform command) {
    const auto of = [this](const auto& service) { return service.text == "web" ? &driver : nullptr; };
    const watcher::Performer::Services services{of, [this](const auto&) { return folder.path; }};
    watcher::Performer performer(folder.path + "/incidents", resolver, services, secrets);
    return run_here(performer.perform(std::move(command), {}));
  }
  rules::StepResult perform(rules::StepSpec step) { return perform(command(std::move(step))); }
  rules::StepResult run(std::vector<std::string> argv) { return perform(run_step(std::move(argv))); }

  static rules::StepSpec run_step(std::vector<std::string> argv) {
    rules::StepSpec step;
    step.what = rules::RunStep{std::move(argv)};
    return step;
  }
  static rules::StepSpec capture_step(std::string file, std::vector<std::string> argv) {
    rules::StepSpec step;
    step.what = rules::CaptureStep{std::move(file), std::move(argv)};
    return step;
  }
};

std::vector<std::string> shell(const std::string& lines) { return {"/bin/sh", "-c", lines}; }

rules::Text secret(std::string value) { return {std::move(value), true}; }

unsigned mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}

// Answers one request and keeps it.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : acceptor_(loop_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    thread_ = std::thread([this, answer = std::move(answer)] {
      tcp::socket socket(loop_);
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      if (error) return;
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(request_), "END", error);
      boost::asio::write(socket, boost::asio::buffer(answer), error);
    });
  }
  ~OneAnswer() { join(); }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path;
  }
  const std::string& request() {
    join();
    return request_;
  }

 private:
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  boost::asio::io_context loop_;
  tcp::acceptor acceptor_;
  std::string request_;
  std::thread thread_;
};

rules::StepSpec http_step(const std::string& url) {
  rules::HttpStep http;
  http.url.value = url;
  http.body.value = "bodyEND";
  http.content_type = "text/plain";
  rules::StepSpec step;
  step.what = http;
  return step;
}

std::string answer_of(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("a run step gives its command the incident in the environment and runs in the service's directory") {
  Fixture fixture;
  rules::Perform command = fixture.command(Fixture::run_step(shell("pwd; env | grep ^ROLLBACKD_ | sort")));
  command.context.severity = rules::Severity::p0;
  command.context.schema_from = "s2";
  command.context.schema_to = "s1";
  command.context.backup = "/backups/1";
  command.id.step = 2;
  command.id.attempt = 1;
  const rules::StepResult result = fixture.perform(command);
  CHECK(result.status == StepStatus::succeeded);
  CHECK(result.output ==
        fixture.folder.path +
            "\nROLLBACKD_ATTEMPT=2\nROLLBACKD_BACKUP=/backups/1\nROLLBACKD_EVIDENCE_DIR=" + fixture.evidence +
            "\nROLLBACKD_FROM=v2\nROLLBACKD_INCIDENT=i-1\nROLLBACKD_REASON=31% errors\n"
            "ROLLBACKD_RULE=errors\nROLLBACKD_SCHEMA_FROM=s2\nROLLBACKD_SCHEMA_TO=s1\n"
            "ROLLBACKD_SERVICE=web\nROLLBACKD_SEVERITY=P0\nROLLBACKD_STEP=steps.3\nROLLBACKD_TO=v1\n");
  CHECK(mode_of(fixture.evidence) == 0700);
}

TEST_CASE("a run step has its own directory, environment, input and output file") {
  Fixture fixture;
  std::filesystem::create_directory(fixture.folder.path + "/sub");
  write(fixture.folder.path + "/input", "from a file\n");
  rules::StepSpec step = Fixture::run_step(shell("pwd; cat; echo $COLOUR $ROLLBACKD_TO; echo aside >&2"));
  step.dir = fixture.folder.path + "/sub";
  step.env = {{"COLOUR", {"green", false}}, {"ROLLBACKD_TO", {"forged", false}}};
  step.stdin_file = fixture.folder.path + "/input";
  step.stdout_file = fixture.folder.path + "/output";
  const rules::StepResult result = fixture.perform(step);
  CHECK(result.status == StepStatus::succeeded);
  CHECK(content(fixture.folder.path + "/output") == fixture.folder.path + "/sub\nfrom a file\ngreen v1\n");
  CHECK(result.output == "aside\n");
}

TEST_CASE("only {to} and {from} expand in a command line, once, and only to safe revisions") {
  using Argv = std::vector<std::string>;
  const rules::Revision from("v2");
  const rules::Revision to("sha256:01@{x}");
  CHECK(watcher::expand_argv({"a", "--image=app:{from}", "{from}{from}", "{FROM} {} {to"}, from, {}) ==
        Argv{"a", "--image=app:v2", "v2v2", "{FROM} {} {to"});
  CHECK_FALSE(watcher::expand_argv({"{to}"}, from, to));
  CHECK_FALSE(watcher::expand_argv({"{to}"}, from, rules::Revision("-rf")));
  CHECK_FALSE(watcher::expand_argv({"{to}"}, from, rules::Revision("a b")));
  CHECK_FALSE(watcher::expand_argv({"x{to}"}, from, {}));
  CHECK(watcher::expand_argv({"plain"}, from, rules::Revision("a b")) == Argv{"plain"});
}

TEST_CASE("a command that would get an unsafe revision is not run") {
  Fixture fixture;
  rules::Perform command = fixture.command(Fixture::run_step(shell("touch ran; : {to}")));
  command.context.to = rules::Revision("$(reboot)");
  const rules::StepResult result = fixture.perform(command);
  CHECK(result.status == StepStatus::failed);
  CHECK_FALSE(std::filesystem::exists(fixture.folder.path + "/ran"));
}

TEST_CASE("how a command ended is the step's status") {
  Fixture fixture;
  const rules::StepResult failed = fixture.run(shell("echo why; exit 3"));
  CHECK(failed.status == StepStatus::failed);
  CHECK(failed.exit_code == 3);
  CHECK(failed.output == "why\n");
  CHECK(contains(failed.detail, "exited with 3"));
  CHECK(contains(fixture.run(shell("kill -SEGV $$")).detail, "signal 11"));
  const rules::StepResult missing = fixture.run({"./no-such-script.sh"});
  CHECK(missing.status == StepStatus::failed);
  CHECK_FALSE(missing.exit_code);
  rules::Perform slow = fixture.command(Fixture::run_step({"sleep", "60"}));
  slow.step.timeout = 50ms;
  const rules::StepResult ended = fixture.perform(slow);
  CHECK(ended.status == StepStatus::timed_out);
  CHECK(contains(ended.detail, "50ms"));
}

TEST_CASE("of a command's output 1 MiB is kept and the rest counted") {
  Fixture fixture;
  const rules::StepResult result = fixture.run(shell("head -c 1048676 /dev/zero"));
  CHECK(result.output.size() == 1024 * 1024);
  CHECK(result.output_dropped == 100);
}

TEST_CASE("secrets that a step was given are redacted from its result and its evidence") {
  Fixture fixture;
  rules::StepSpec step = Fixture::run_step(shell("echo password is $PW and ${PW}x; exit 1"));
  step.env = {{"PW", secret("hunter22")}, {"LONGER", secret("hunter22x")}, {"TINY", secret("is")}};
  CHECK(fixture.perform(step).output == "password is <redacted> and <redacted>\n");
  step.what = rules::CaptureStep{"env.txt", shell("echo $PW")};
  CHECK(fixture.perform(step).status == StepStatus::succeeded);
  CHECK(content(fixture.evidence + "/env.txt") == "<redacted>\n");
}

TEST_CASE("what a plan captures is captured side by side, and each is answered when its turn comes") {
  Fixture fixture;
  const watcher::Performer::Services services{[&](const auto&) { return &fixture.driver; },
                                              [](const auto&) { return std::string(); }};
  watcher::Performer performer(fixture.folder.path + "/incidents", fixture.resolver, services, {});
  // Each waits for the other one: alone it would never end.
  const std::string here = fixture.folder.path;
  for (const std::string pipe : {"/a", "/b"}) REQUIRE(::mkfifo((here + pipe).c_str(), 0600) == 0);
  const auto meets = [&](const std::string& mine, const std::string& other) {
    return shell("cd " + here + "; [ -e met ] || { echo >" + mine + " & read -r met <" + other +
                 "; wait; touch met; }; " + "echo $ROLLBACKD_STEP >>" + here + "/made; echo " + mine);
  };
  rules::Perform first = fixture.command(Fixture::capture_step("a.txt", meets("a", "b")));
  rules::Perform second = fixture.command(Fixture::capture_step("b.txt", meets("b", "a")));
  second.id.step = 1;
  first.beside = {second.step};
  CHECK(run_here(performer.perform(first, {})).status == StepStatus::succeeded);
  CHECK(run_here(performer.perform(second, {})).output == "2 bytes in evidence/b.txt");
  CHECK(content(fixture.evidence + "/a.txt") == "a\n");
  CHECK(content(fixture.evidence + "/b.txt") == "b\n");
  const std::string made = content(here + "/made");
  CHECK(std::count(made.begin(), made.end(), '\n') == 2);
  // Asked for again it is made again.
  CHECK(run_here(performer.perform(second, {})).status == StepStatus::succeeded);
  CHECK(content(here + "/made").size() > made.size());
}

TEST_CASE(
    "what a driver knows itself is evidence as what its commands print is: escaped, without secrets, before a switch") {
  Fixture fixture;
  watcher::EvidenceCommand asked;
  asked.file = "asked.txt";
  asked.child.argv = {"echo", "up"};
  asked.known_said = "password hunter22 \x1b[2J\n";
  watcher::EvidenceCommand known = asked;
  known.file = "known.txt";
  known.child.argv.clear();
  watcher::EvidenceCommand answered = known;
  answered.file = "answered.txt";
  answered.asked = []() -> boost::asio::awaitable<std::string> { co_return "said hunter22\n"; };
  fixture.driver.commands = {asked, known, answered};
  fixture.driver.known = {"hunter22"};
  rules::StepSpec step;
  step.what = rules::SwitchStep();
  fixture.perform(step);
  CHECK(content(fixture.evidence + "/asked.txt") == "up\npassword <redacted> \\e[2J\n");
  CHECK(content(fixture.evidence + "/known.txt") == "password <redacted> \\e[2J\n");
  CHECK(content(fixture.evidence + "/answered.txt") == "said <redacted>\npassword <redacted> \\e[2J\n");
}

TEST_CASE("secrets that the driver knows of what runs are redacted from what a step prints and captures") {
  Fixture fixture;
  fixture.driver.known = {"hunter22"};
  CHECK(fixture.run(shell("echo is hunter22")).output == "is <redacted>\n");
  fixture.perform(Fixture::capture_step("logs.txt", shell("echo is hunter22")));
  CHECK(content(fixture.evidence + "/logs.txt") == "is <redacted>\n");
}

TEST_CASE("SPEC 3: secrets of the whole configuration are redacted from what a step prints, not only its own") {
  Fixture fixture;
  fixture.secrets = {"hook-1234", "hook-1234-and-more", "is"};
  rules::StepSpec step = Fixture::run_step(shell("echo this is hook-1234-and-more hook-1234hook-1234 $PW"));
  step.env = {{"PW", secret("hunter22")}};
  CHECK(fixture.perform(step).output == "this is <redacted> <redacted><redacted> <redacted>\n");
  step.what = rules::CaptureStep{"env.txt", shell("echo hook-1234")};
  CHECK(fixture.perform(step).status == StepStatus::succeeded);
  CHECK(content(fixture.evidence + "/env.txt") == "<redacted>\n");
}

TEST_CASE("a capture writes its command's output to the incident's evidence, readable by nobody else") {
  Fixture fixture;
  const rules::StepResult result = fixture.perform(Fixture::capture_step("logs.txt", shell("echo out; echo err >&2")));
  CHECK(result.status == StepStatus::succeeded);
  const std::string path = fixture.evidence + "/logs.txt";
  CHECK(contains(content(path), "out\n"));
  CHECK(contains(content(path), "err\n"));
  CHECK(mode_of(path) == 0600);
  const rules::StepResult failed = fixture.perform(Fixture::capture_step("logs.txt", shell("echo partial; exit 2")));
  CHECK(failed.status == StepStatus::failed);
  CHECK(contains(failed.output, "evidence/logs.txt.failed"));
  CHECK(content(path + ".failed") == "partial\n");
  CHECK(contains(content(path), "out\n"));
  const rules::StepResult first = fixture.perform(Fixture::capture_step("other.txt", shell("echo partial; exit 2")));
  CHECK(contains(first.output, "evidence/other.txt"));
  CHECK(content(fixture.evidence + "/other.txt") == "partial\n");
}

TEST_CASE("a capture reaches no file outside the evidence, not by name and not by link") {
  Fixture fixture;
  for (const char* const name : {"../x", "a/b", "/tmp/x", "..", ".", ".hidden", "", "a b", "a\nb"}) {
    INFO(name);
    const rules::StepResult result = fixture.perform(Fixture::capture_step(name, shell("touch ran")));
    CHECK(result.status == StepStatus::failed);
  }
  CHECK_FALSE(std::filesystem::exists(fixture.folder.path + "/ran"));
  CHECK(watcher::is_evidence_name(std::string(200, 'a')));
  CHECK_FALSE(watcher::is_evidence_name(std::string(201, 'a')));
  std::filesystem::create_directories(fixture.evidence);
  write(fixture.folder.path + "/precious", "kept\n");
  std::filesystem::create_symlink(fixture.folder.path + "/precious", fixture.evidence + "/link.txt");
  CHECK(fixture.perform(Fixture::capture_step("link.txt", shell("echo new"))).status == StepStatus::succeeded);
  CHECK(content(fixture.folder.path + "/precious") == "kept\n");
  CHECK(content(fixture.evidence + "/link.txt") == "new\n");
}

TEST_CASE("evidence that cannot be written fails a capture, but no other step") {
  Fixture fixture;
  write(fixture.folder.path + "/incidents", "a file where the folder should be");
  CHECK(fixture.perform(Fixture::capture_step("logs.txt", shell("echo x"))).status == StepStatus::failed);
  const rules::StepResult run = fixture.run(shell("echo x"));
  CHECK(run.status == StepStatus::succeeded);
  CHECK(contains(run.detail, "evidence"));
}

TEST_CASE("an http step sends what it is told and succeeds with 2xx") {
  Fixture fixture;
  OneAnswer server(answer_of(202, "accepted"));
  rules::StepSpec step = http_step(server.url("/api/queue/pause-all"));
  std::get<rules::HttpStep>(step.what).headers = {{"Authorization", secret("Bearer hunter22")}};
  const rules::StepResult result = fixture.perform(step);
  CHECK(result.status == StepStatus::succeeded);
  CHECK(result.exit_code == 202);
  CHECK(result.output == "accepted");
  const std::string& request = server.request();
  CHECK(request.starts_with("POST /api/queue/pause-all HTTP/1.1\r\n"));
  CHECK(contains(request, "Authorization: Bearer hunter22\r\n"));
  CHECK(contains(request, "Content-Type: text/plain\r\n"));
  CHECK(request.ends_with("\r\n\r\nbodyEND"));
}

TEST_CASE("an http step fails on another status than it expects, and on no answer") {
  Fixture fixture;
  {
    OneAnswer server(answer_of(500, "hunter22 is wrong"));
    rules::StepSpec step = http_step(server.url("/"));
    std::get<rules::HttpStep>(step.what).headers = {{"X-Token", secret("hunter22")}};
    const rules::StepResult result = fixture.perform(step);
    CHECK(result.status == StepStatus::failed);
    CHECK(result.exit_code == 500);
    CHECK(result.output == "<redacted> is wrong");
  }
  OneAnswer teapot(answer_of(418, R"({"ok":true})"));
  rules::StepSpec step = http_step(teapot.url("/"));
  std::get<rules::HttpStep>(step.what).expect.status = {{418, 418}};
  std::get<rules::HttpStep>(step.what).expect.json = {{"/ok", "true"}};
  CHECK(fixture.perform(step).status == StepStatus::succeeded);
  const rules::StepResult refused = fixture.perform(http_step("http://127.0.0.1:1/"));
  CHECK(refused.status == StepStatus::failed);
  CHECK(contains(refused.detail, "refused"));
}

TEST_CASE("what tells of the release that goes is kept before the switch, side by side, without secrets") {
  Fixture fixture;
  fixture.secrets = {"hunter2x"};
  // Each waits for the other, so that one after the other would never end.
  const std::string a = fixture.folder.path + "/a", b = fixture.folder.path + "/b";
  REQUIRE(::mkfifo(a.c_str(), 0600) == 0);
  REQUIRE(::mkfifo(b.c_str(), 0600) == 0);
  const auto command = [](const std::string& script) {
    probes::ChildSpec child;
    child.argv = {"sh", "-c", script};
    child.limit = 10s;
    return child;
  };
  probes::ChildSpec missing;
  missing.argv = {"/no/such/command"};
  fixture.driver.commands = {
      {"logs.txt", command("echo x >" + a + "; read line <" + b + "; echo out hunter2x; echo err >&2")},
      {"state.txt", command("read line <" + a + "; echo x >" + b + "; echo state; exit 3")},
      {"none.txt", missing}};
  rules::StepSpec step;
  step.what = rules::SwitchStep();
  fixture.driver.answer.status = StepStatus::succeeded;
  CHECK(fixture.perform(step).status == StepStatus::succeeded);
  CHECK(content(fixture.evidence + "/logs.txt") == "out <redacted>\nerr\n");
  CHECK(content(fixture.evidence + "/state.txt").starts_with("state\n\n[sh -c "));
  CHECK(content(fixture.evidence + "/state.txt").ends_with(": exited with 3]\n"));
  CHECK(content(fixture.evidence + "/none.txt").find("could not be started") != std::string::npos);
  CHECK(fixture.driver.asked.to.text == "v1");
}

TEST_CASE("a switch waits no longer for evidence than is left for it") {
  Fixture fixture;
  probes::ChildSpec child;
  child.argv = {"sh", "-c", "echo begun; read line <" + fixture.folder.path + "/never"};
  REQUIRE(::mkfifo((fixture.folder.path + "/never").c_str(), 0600) == 0);
  child.limit = 200ms;
  fixture.driver.commands = {{"hangs.txt", child}};
  rules::StepSpec step;
  step.what = rules::SwitchStep();
  fixture.driver.answer.status = StepStatus::succeeded;
  CHECK(fixture.perform(step).status == StepStatus::succeeded);
  CHECK(content(fixture.evidence + "/hangs.txt").find("begun\n") == 0);
  CHECK(content(fixture.evidence + "/hangs.txt").find("took too long") != std::string::npos);
}

TEST_CASE("a switch step is the driver's, with the revisions, the environment and the limit") {
  Fixture fixture;
  fixture.driver.answer.status = StepStatus::timed_out;
  fixture.driver.answer.detail = "slow";
  rules::StepSpec step;
  step.what = rules::SwitchStep();
  const rules::StepResult result = fixture.perform(step);
  CHECK(result.status == StepStatus::timed_out);
  CHECK(result.detail == "slow");
  CHECK(fixture.driver.asked.from.text == "v2");
  CHECK(fixture.driver.asked.to.text == "v1");
  CHECK(fixture.driver.asked.incident.text == "i-1");
  CHECK(fixture.driver.asked.env.at("ROLLBACKD_SERVICE") == "web");
  CHECK(fixture.driver.asked.limit == 30s);
}

TEST_CASE(
    "a switch without a driver, or with a target that may not be named, fails, one without a target is its command's "
    "affair") {
  Fixture fixture;
  rules::StepSpec step;
  step.what = rules::SwitchStep();
  fixture.driver.answer.status = StepStatus::succeeded;
  rules::Perform command = fixture.command(step);
  command.context.to = rules::Revision("--force");
  CHECK(fixture.perform(command).status == StepStatus::failed);
  command.context.to = rules::Revision();
  CHECK(fixture.perform(command).status == StepStatus::succeeded);
  command.context.to = rules::Revision("v1");
  command.context.service = rules::ServiceName("other");
  CHECK(contains(fixture.perform(command).detail, "no driver"));
}

TEST_CASE("what the engine does itself is no step for the performer") {
  Fixture fixture;
  rules::StepSpec step;
  step.what = rules::SleepStep();
  CHECK(fixture.perform(step).status == StepStatus::failed);
}

TEST_CASE("memory that runs out in a step fails that step") {
  Fixture fixture;
  fixture.driver.is_starved = true;
  rules::StepSpec step;
  step.what = rules::SwitchStep();
  const rules::StepResult result = fixture.perform(step);
  CHECK(result.status == StepStatus::failed);
  CHECK_FALSE(result.nothing_begun);
  CHECK(result.detail.find("memory ran out") != std::string::npos);
}
