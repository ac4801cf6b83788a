#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/write.hpp>
#include <filesystem>

#include "runner_support.hpp"
#include "watcher/runner/kept_steps.hpp"
#include "watcher/runner/shown_evidence.hpp"
#include "watcher/steps/evidence.hpp"

namespace {

namespace asio = boost::asio;
using journal_support::contains;
using rules::StepStatus;
using runner_support::Asks;
using runner_support::Halves;
using runner_support::Question;
using runner_support::RunnerReply;
using runner_support::Says;

// With the pipe that its second step waits at.
struct Waiting : Halves {
  int go = -1;
  Waiting() {
    REQUIRE(::mkfifo((folder.path + "/go").c_str(), 0600) == 0);
    go = ::open((folder.path + "/go").c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(go >= 0);
  }
  ~Waiting() {
    let_go();
    if (door) end();
    ::close(go);
  }
  void let_go() const { CHECK(::write(go, "go\n", 3) == 3); }
  // Asks for it with a connection that ends as soon as the step is at work.
  void begin_and_leave() {
    {
      watcher::Lines::Socket asker(io);
      asker.connect(asio::local::stream_protocol::endpoint(socket()));
      const std::string line = watcher::line_of(step(1)) + "\n";
      asio::write(asker, asio::buffer(line));
      run_until([this] { return ran() == "waits\n"; });
    }
    run_until([] { return true; });
  }
  // As a watcher sees it through.
  rules::StepResult found_again() {
    std::optional<rules::StepResult> result;
    auto shared = std::make_shared<watcher::RunnerClient>(socket(), config->hash);
    watcher::RemoteSteps steps(config, std::move(shared));
    const auto find = [&]() -> asio::awaitable<void> {
      const rules::StepId id = step(1).step;
      const probes::Started nobody;
      rules::StepResult found = co_await steps.find_again(id, nobody);
      result = std::move(found);
    };
    tasks.spawn("find", find());
    run_until([&] { return result.has_value(); });
    return *std::move(result);
  }
};

rules::StepResult of_status(StepStatus status) {
  rules::StepResult out;
  out.status = status;
  out.exit_code = 3;
  out.detail = "why";
  out.output = "bytes \xff\n";
  out.output_dropped = 7;
  return out;
}

}  // namespace

TEST_CASE("SPEC 10: a step that was done is not done again, whoever asks for it how often") {
  Halves halves;
  for (int i = 0; i < 3; ++i) {
    const RunnerReply reply = halves.ask(halves.step(3));
    REQUIRE(reply.result.has_value());
    CHECK(reply.result->status == StepStatus::succeeded);
  }
  CHECK(halves.ran() == "switch v1\n");
  halves.end();
  halves.begin();
  CHECK(halves.ask(halves.step(3)).result->status == StepStatus::succeeded);
  CHECK(halves.ask(halves.step(3, Asks::result)).result->status == StepStatus::succeeded);
  CHECK(halves.ran() == "switch v1\n");
  Question again = halves.step(3);
  again.step.attempt = 1;
  CHECK(halves.ask(again).result->status == StepStatus::succeeded);
  CHECK(halves.ran() == "switch v1\nswitch v1\n");
}

TEST_CASE("a step that was never begun is unknown, and asking what became of it begins nothing") {
  Halves halves;
  CHECK(halves.ask(halves.step(0, Asks::result)).says == Says::unknown);
  CHECK(halves.ran() == "");
}

TEST_CASE("a step goes on when whoever asked for it is gone, and its end is found again") {
  Waiting halves;
  halves.begin_and_leave();
  // The watcher's lock has ended with it.
  halves.run_until([&] { return !halves.is_host_free(); });
  halves.let_go();
  const rules::StepResult result = halves.found_again();
  CHECK(halves.is_host_free());
  CHECK(result.status == StepStatus::succeeded);
  CHECK_FALSE(result.unseen);
  CHECK(halves.ran() == "waits\n");
}

TEST_CASE("while a step changes something no other one that would is begun") {
  Waiting halves;
  halves.begin_and_leave();
  const RunnerReply refused = halves.ask(halves.step(3));
  CHECK(refused.says == Says::refused);
  CHECK(contains(refused.why, "another step is at work"));
  halves.let_go();
  CHECK(halves.found_again().status == StepStatus::succeeded);
  CHECK(halves.ask(halves.step(3)).result->status == StepStatus::succeeded);
}

TEST_CASE("a step that is called off is ended as its time-out would end it") {
  Waiting halves;
  halves.begin_and_leave();
  CHECK(halves.ask(halves.step(1, Asks::cancel)).says == Says::done);
  CHECK(halves.found_again().status == StepStatus::interrupted);
}

TEST_CASE("a step whose runner was killed has no end that anybody saw, and may be begun anew by whoever asks for it") {
  Halves halves;
  watcher::KeptSteps(halves.config->watcher.runner_dir + "/steps").begin(halves.step(0).step);
  const RunnerReply found = halves.ask(halves.step(0, Asks::result));
  REQUIRE(found.result.has_value());
  CHECK(found.result->unseen);
  CHECK(found.result->status == StepStatus::interrupted);
  CHECK(halves.ran() == "");
  CHECK(halves.ask(halves.step(0)).result->status == StepStatus::succeeded);
  CHECK(halves.ran() == "step\n");
}

TEST_CASE("what is not written down as begun is not begun") {
  Halves halves;
  std::filesystem::create_directories(halves.config->watcher.runner_dir);
  std::ofstream(halves.config->watcher.runner_dir + "/steps") << "in the way";
  const RunnerReply refused = halves.ask(halves.step(0));
  CHECK(refused.says == Says::refused);
  CHECK(contains(refused.why, "could not be written down"));
  CHECK(halves.ran() == "");
}

TEST_CASE("what is kept of a step comes back as it was, and the oldest make way") {
  const journal_support::Folder folder;
  watcher::KeptSteps kept(folder.path + "/steps");
  rules::StepId id;
  id.incident = rules::IncidentId("20261121-020304-web-down");
  REQUIRE_FALSE(kept.begin(id).has_value());
  REQUIRE_FALSE(kept.end(id, of_status(StepStatus::failed)).has_value());
  const std::optional<rules::StepResult> found = kept.of(id);
  REQUIRE(found.has_value());
  CHECK(found->status == StepStatus::failed);
  CHECK(found->exit_code == 3);
  CHECK(found->detail == "why");
  CHECK(found->output == "bytes \xff\n");
  CHECK(found->output_dropped == 7);
  rules::StepId other = id;
  for (std::size_t i = 0; i < 2 * watcher::steps_kept_max; ++i) {
    other.step = i + 1;
    REQUIRE_FALSE(kept.begin(other).has_value());
  }
  CHECK(kept.of(other).has_value());
  CHECK_FALSE(kept.of(id).has_value());
}

TEST_CASE("what the runner has kept of an incident lies beside what the watcher has") {
  Waiting halves;
  const std::string incident = "/incidents/" + halves.step(1).step.incident.text + "/evidence";
  for (const std::string dir : {"/state", "/kept"})
    std::filesystem::create_directories(halves.folder.path + dir + incident);
  const std::string here = halves.folder.path + "/state" + incident;
  std::ofstream(here + "/run.json") << "ours";
  std::ofstream(halves.folder.path + "/kept" + incident + "/log.txt") << "theirs";
  halves.begin_and_leave();
  halves.let_go();
  CHECK(halves.found_again().status == StepStatus::succeeded);
  CHECK(std::filesystem::exists(here + "/run.json"));
  CHECK(std::filesystem::exists(here + "/log.txt"));
  CHECK_FALSE(watcher::write_evidence(here, "later.txt", "x").has_value());
}

TEST_CASE("the watcher's group is shown an incident's evidence, and no file that a link leads to") {
  const journal_support::Folder folder;
  const std::string dir = folder.path + "/incidents/one/evidence";
  std::filesystem::create_directories(dir);
  std::ofstream(dir + "/log.txt") << "a line\n";
  std::ofstream(folder.path + "/elsewhere") << "a secret\n";
  ::chmod((dir + "/log.txt").c_str(), 0600);
  ::chmod((folder.path + "/elsewhere").c_str(), 0600);
  std::filesystem::create_symlink(folder.path + "/elsewhere", dir + "/link.txt");
  CHECK_FALSE(watcher::show_evidence_to(dir, ::getegid()).has_value());
  const auto mode_of = [](const std::string& path) {
    struct stat found {};
    ::stat(path.c_str(), &found);
    return found.st_mode & 07777;
  };
  CHECK(mode_of(dir) == 0750);
  CHECK(mode_of(dir + "/log.txt") == 0640);
  CHECK(mode_of(folder.path + "/elsewhere") == 0600);
  CHECK_FALSE(watcher::show_evidence_to(folder.path + "/nowhere", ::getegid()).has_value());
}
