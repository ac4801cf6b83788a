#pragma once

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "journal_support.hpp"
#include "probes/net/spawn.hpp"
#include "watcher/journal/at_work.hpp"

namespace at_work_support {

// A process in a group of its own that nobody waits for: what a killed watcher leaves at work.
class Orphan {
 public:
  explicit Orphan(std::vector<std::string> argv = {"sleep", "1000"}) {
    probes::ChildSpec spec;
    spec.argv = std::move(argv);
    spec.stdout_file = "/dev/null";
    const probes::SpawnAttempt attempt = probes::spawn_child(spec);
    REQUIRE(attempt.spawned);
    pid_ = attempt.spawned->pid;
    ::close(attempt.spawned->pidfd);
    ::close(attempt.spawned->err);
  }
  ~Orphan() {
    end();
    ::waitpid(pid_, nullptr, 0);
  }
  Orphan(const Orphan&) = delete;
  Orphan& operator=(const Orphan&) = delete;

  pid_t pid() const { return pid_; }
  // By KILL. It is left as nobody has waited for it: it has ended, and still has its number.
  void end() {
    if (ended_) return;
    ::kill(-pid_, SIGKILL);
    how_it_ended();
  }
  // The signal that it died of; waits for that.
  int how_it_ended() {
    siginfo_t how{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOWAIT) == 0);
    ended_ = true;
    return how.si_status;
  }

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
};

inline watcher::AtWork at_work_of(pid_t pid) {
  watcher::AtWork at_work;
  at_work.step.incident = rules::IncidentId("i1");
  const auto process = probes::process_of(pid);
  REQUIRE(process);
  at_work.process = *process;
  at_work.limit = std::chrono::seconds(1000);
  at_work.until = journal_support::at(0) + at_work.limit;
  return at_work;
}

}  // namespace at_work_support
