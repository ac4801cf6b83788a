#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "probes/net/child.hpp"
#include "run_here.hpp"
#include "test_folder.hpp"

namespace {

using namespace std::chrono_literals;
using probes::ChildEnd;
using probes::ChildResult;
using probes::ChildSpec;

ChildSpec shell(std::string script) {
  ChildSpec spec;
  spec.argv = {"/bin/sh", "-c", std::move(script)};
  spec.limit = 30s;
  return spec;
}

ChildResult run(ChildSpec spec) {
  boost::asio::io_context loop;
  return tests::run_on(loop, probes::run_child(std::move(spec)));
}

// With a limit that grows until the command had the time to say that it is ready: how long a shell takes to start is
// not for a test to know.
ChildResult run_past_ready(ChildSpec spec) {
  constexpr rules::Duration enough = std::chrono::minutes(1);
  for (spec.limit = 200ms;; spec.limit *= 2) {
    ChildResult result = run(spec);
    if (result.output_stdout.starts_with("ready") || spec.limit > enough) return result;
  }
}

bool is_gone(pid_t pid) {
  for (int i = 0; i < 500 && kill(pid, 0) == 0 &&
                  content("/proc/" + std::to_string(pid) + "/stat").find(") Z") == std::string::npos;
       ++i) {
    std::this_thread::sleep_for(10ms);
  }
  return kill(pid, 0) != 0 || content("/proc/" + std::to_string(pid) + "/stat").find(") Z") != std::string::npos;
}

// A stopped process is not stopped at once: waits for that, or for its end. It stays to be waited for by others.
bool is_held(pid_t pid) {
  siginfo_t what{};
  const int failed = ::waitid(P_PID, static_cast<id_t>(pid), &what, WSTOPPED | WEXITED | WNOWAIT);
  return failed == 0 && what.si_code == CLD_STOPPED;
}

}  // namespace

TEST_CASE("a command's exit code and both its streams come back") {
  const ChildResult result = run(shell("echo out; echo err >&2; exit 3"));
  CHECK(result.end == ChildEnd::exited);
  CHECK(result.exit_code == 3);
  CHECK(result.output_stdout == "out\n");
  CHECK(result.output.find("out\n") != std::string::npos);
  CHECK(result.output.find("err\n") != std::string::npos);
  CHECK(result.output_dropped == 0);
}

TEST_CASE("a signal that we did not send is told") {
  const ChildResult result = run(shell("kill -SEGV $$"));
  CHECK(result.end == ChildEnd::signalled);
  CHECK(result.exit_code == SIGSEGV);
}

TEST_CASE("a missing command, a missing directory and a file that may not run are told apart") {
  ChildSpec missing;
  missing.argv = {"no-such-command-here"};
  missing.limit = 10s;
  const ChildResult no_command = run(missing);
  CHECK(no_command.end == ChildEnd::not_started);
  CHECK(no_command.command_missing);

  ChildSpec elsewhere = shell("true");
  elsewhere.dir = "/no/such/directory";
  const ChildResult no_directory = run(elsewhere);
  CHECK(no_directory.end == ChildEnd::not_started);
  CHECK_FALSE(no_directory.command_missing);
  CHECK(no_directory.error.find("/no/such/directory") != std::string::npos);

  ChildSpec plain;
  plain.argv = {"/etc/passwd"};
  plain.limit = 10s;
  CHECK(run(plain).command_missing);
}

TEST_CASE("output beyond the cap is read and counted, so that the command does not block") {
  ChildSpec spec = shell("head -c 300000 /dev/zero");
  spec.output_max = 1000;
  const ChildResult result = run(std::move(spec));
  CHECK(result.end == ChildEnd::exited);
  CHECK(result.output.size() == 1000);
  CHECK(result.output_dropped == 299'000);
}

TEST_CASE("at the limit the group gets TERM and may tidy up") {
  ChildSpec spec = shell("trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
  const ChildResult result = run_past_ready(std::move(spec));
  CHECK(result.end == ChildEnd::timed_out);
  CHECK(result.output_stdout == "ready\ntidied\n");
}

TEST_CASE("what ignores TERM is killed after the grace, with all of its group") {
  ChildSpec spec = shell("trap '' TERM; sleep 1000 & echo ready $!; wait; sleep 1000");
  spec.grace = 100ms;
  const ChildResult result = run_past_ready(std::move(spec));
  CHECK(result.end == ChildEnd::timed_out);
  CHECK(result.exit_code == SIGKILL);
  REQUIRE(result.output_stdout.starts_with("ready "));
  CHECK(is_gone(std::atoi(result.output_stdout.c_str() + std::strlen("ready "))));
}

// A folder of the kernel's freezer, where it is: what is in it does not die of a kill before it is thawed, as what
// hangs in the kernel does not.
class Freezer {
 public:
  Freezer() { is_there_ = mkdir(path_.c_str(), 0755) == 0; }
  ~Freezer() {
    thaw();
    while (is_there_ && rmdir(path_.c_str()) != 0 && errno == EBUSY) std::this_thread::yield();
  }
  bool is_there() const { return is_there_; }
  void freeze(pid_t pid) const {
    std::ofstream(path_ + "/cgroup.procs") << pid;
    std::ofstream(path_ + "/freezer.state") << "FROZEN";
    while (content(path_ + "/freezer.state") != "FROZEN\n") std::this_thread::yield();
  }
  void thaw() const { std::ofstream(path_ + "/freezer.state") << "THAWED"; }

 private:
  std::string path_ = "/sys/fs/cgroup/freezer/rollbackd-test-" + std::to_string(getpid());
  bool is_there_ = false;
};

TEST_CASE("what hangs is waited for no longer than its time where it may be left, and is reaped when it ends") {
  const Freezer freezer;
  if (!freezer.is_there()) return;
  pid_t hanging = 0;
  ChildSpec spec = shell("exec tail -f /dev/null");
  spec.limit = 100ms;
  spec.grace = 50ms;
  spec.left_at_limit = true;
  spec.started = [&](pid_t pid, rules::Duration) {
    hanging = pid;
    freezer.freeze(pid);
  };
  const ChildResult result = run(std::move(spec));
  CHECK(result.end == ChildEnd::timed_out);
  REQUIRE(hanging > 1);
  CHECK(kill(hanging, 0) == 0);
  freezer.thaw();
  siginfo_t what{};
  CHECK(waitid(P_PID, static_cast<id_t>(hanging), &what, WEXITED | WNOWAIT) == 0);
  CHECK(run(shell("true")).end == ChildEnd::exited);
  CHECK(kill(hanging, 0) != 0);
}

TEST_CASE("what a command leaves behind is left or killed as asked, and does not hold the answer up") {
  ChildSpec spec = shell("sleep 1000 & echo $!");
  SUBCASE("left: a deploy script may start the application") {
    const pid_t left = std::atoi(run(spec).output_stdout.c_str());
    REQUIRE(left > 1);
    CHECK(kill(left, SIGKILL) == 0);
  }
  SUBCASE("killed: a poll leaves nothing behind") {
    spec.stragglers = probes::Stragglers::kill;
    const pid_t left = std::atoi(run(spec).output_stdout.c_str());
    REQUIRE(left > 1);
    CHECK(is_gone(left));
  }
}

TEST_CASE("a cancelled command is ended as a time-out ends it, and then the caller hears of it") {
  boost::asio::io_context loop;
  boost::asio::cancellation_signal signal;
  std::optional<ChildResult> result;
  const TestFolder folder;
  const std::string ready = folder.file("ready");
  ChildSpec spec = shell("trap 'echo tidied; exit 0' TERM; touch " + ready + "; while :; do sleep 0.05; done");
  const auto on_done = [&](std::exception_ptr error, ChildResult value) {
    CHECK(error == nullptr);
    result = std::move(value);
  };
  boost::asio::co_spawn(loop, probes::run_child(std::move(spec)),
                        boost::asio::bind_cancellation_slot(signal.slot(), on_done));
  while (access(ready.c_str(), F_OK) != 0) loop.run_one_for(5ms);
  signal.emit(boost::asio::cancellation_type::terminal);
  loop.run();
  REQUIRE(result.has_value());
  CHECK(result->end == ChildEnd::cancelled);
  CHECK(result->output_stdout == "tidied\n");
}

TEST_CASE(
    "a command inherits no blocked or ignored signals, no descriptors, and none of the service manager's variables") {
  setenv("NOTIFY_SOCKET", "/run/none", 1);
  setenv("WATCHDOG_USEC", "1", 1);
  const int open_here = dup(0);
  signal(SIGPIPE, SIG_IGN);
  ChildSpec spec = shell("grep -E 'Sig(Blk|Ign)' /proc/self/status; ls /proc/$$/fd; env");
  spec.env["ADDED"] = "yes";
  const ChildResult result = run(std::move(spec));
  signal(SIGPIPE, SIG_DFL);
  close(open_here);
  unsetenv("NOTIFY_SOCKET");
  unsetenv("WATCHDOG_USEC");
  constexpr unsigned long of_libc = 3UL << 31;  // signals 32 and 33 are libc's own: nobody can set them
  const std::string& out = result.output_stdout;
  CHECK(std::strtoul(out.substr(out.find("SigBlk:") + 7).c_str(), nullptr, 16) == 0);
  CHECK((std::strtoul(out.substr(out.find("SigIgn:") + 7).c_str(), nullptr, 16) & ~of_libc) == 0);
  CHECK(out.find("\n0\n1\n2\n") != std::string::npos);
  CHECK(out.find("\n3\n") == std::string::npos);
  CHECK(result.output_stdout.find("ADDED=yes") != std::string::npos);
  CHECK(result.output_stdout.find("PATH=") != std::string::npos);
  CHECK(result.output_stdout.find("NOTIFY_SOCKET") == std::string::npos);
  CHECK(result.output_stdout.find("WATCHDOG_USEC") == std::string::npos);
}

TEST_CASE("standard input and output go to files where files are named") {
  const TestFolder folder;
  std::ofstream(folder.file("in")) << "from a file";
  ChildSpec spec = shell("cat; echo err >&2");
  spec.dir = folder.path;
  spec.stdin_file = folder.file("in");
  spec.stdout_file = folder.file("out");
  const ChildResult result = run(std::move(spec));
  CHECK(result.end == ChildEnd::exited);
  CHECK(result.output == "err\n");
  CHECK(result.output_stdout.empty());
  CHECK(content(folder.file("out")) == "from a file");
}

TEST_CASE("another user needs root, and then has that user's groups and home") {
  ChildSpec spec = shell("id -un; id -G; echo $HOME");
  spec.user = "nobody";
  if (geteuid() != 0) {
    CHECK(run(spec).error.find("only root") != std::string::npos);
    return;
  }
  const ChildResult result = run(spec);
  CHECK(result.exit_code == 0);
  CHECK(result.output_stdout == "nobody\n65534\n/nonexistent\n");

  spec.argv = {"no-such-command-here"};
  CHECK(run(spec).command_missing);
  spec.user = "no-such-user";
  CHECK(run(spec).error.find("no such user") != std::string::npos);
}

TEST_CASE("no descriptors left is told as such and nothing is started") {
  ChildSpec spec = shell("echo started");
  std::vector<int> taken;
  for (int fd = dup(0); fd != -1; fd = dup(0)) taken.push_back(fd);
  // The loop needs some itself.
  for (int i = 0; i < 3; ++i) {
    close(taken.back());
    taken.pop_back();
  }
  const ChildResult result = [&] {
    boost::asio::io_context loop;
    return tests::run_on(loop, probes::run_child(std::move(spec)));
  }();
  for (const int fd : taken) close(fd);
  CHECK(result.end == ChildEnd::not_started);
  CHECK(result.no_descriptors);
}

TEST_CASE("a command that is put somewhere else is held until it is there") {
  const TestFolder folder;
  const std::string go = folder.file("go");
  const auto put = [&](pid_t pid) -> boost::asio::awaitable<void> {
    CHECK(is_held(pid));
    std::ofstream(go) << "go";
    co_return;
  };
  ChildSpec spec = shell("while [ ! -e " + go + " ]; do :; done; echo there");
  spec.place = put;
  CHECK(run(std::move(spec)).output_stdout == "there\n");
}

TEST_CASE("a command that is called off while it is put somewhere else ends, whatever its limit") {
  boost::asio::io_context loop;
  boost::asio::cancellation_signal signal;
  std::optional<ChildResult> result;
  const auto put = [&](pid_t) -> boost::asio::awaitable<void> {
    signal.emit(boost::asio::cancellation_type::terminal);
    co_return;
  };
  ChildSpec spec = shell("exec tail -f /dev/null");
  spec.limit = 60s;
  spec.place = put;
  const auto on_done = [&](std::exception_ptr, ChildResult value) { result = std::move(value); };
  boost::asio::co_spawn(loop, probes::run_child(std::move(spec)),
                        boost::asio::bind_cancellation_slot(signal.slot(), on_done));
  loop.run();
  REQUIRE(result.has_value());
  CHECK(result->end == ChildEnd::cancelled);
}
