#include "probes/net/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <memory>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "probes/net/child_output.hpp"
#include "probes/net/deadline.hpp"
#include "probes/net/result.hpp"
#include "probes/net/spawn.hpp"

namespace probes {

namespace {

using asio::posix::descriptor_base;

// What a child wrote before it ended is in the pipe already; only a process that left the group still holds it open.
constexpr auto drain_limit = std::chrono::milliseconds(100);

// A kill takes effect at once, but for what hangs in the kernel.
constexpr auto kill_limit = std::chrono::milliseconds(100);

// Children that were left, until they can be reaped. More than this many are reaped by whoever comes after us.
constinit std::array<pid_t, 64> left_children{};

void leave_child(pid_t pid) {
  const auto free = std::find(left_children.begin(), left_children.end(), 0);
  if (free != left_children.end()) *free = pid;
}

void reap_left_children() {
  for (pid_t& pid : left_children) {
    if (pid != 0 && waitpid(pid, nullptr, WNOHANG) != 0) pid = 0;
  }
}

// A started child until it is reaped. If the waiting coroutine is destroyed, the group goes with it.
class Running {
 public:
  Running(const asio::any_io_executor& executor, Spawned spawned)
      : pid_(spawned.pid), descriptor_(executor, spawned.pidfd) {}
  ~Running() {
    if (reaped_) return;
    signal_group(SIGKILL);
    reap();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Only before reap(): a reaped pid may belong to a stranger.
  void signal_group(int signal) const { kill(-pid_, signal); }

  // Asked after every wake: an event that was meant for the descriptor of a former child may wake the wait for this
  // one.
  bool has_ended() const {
    siginfo_t how{};
    return waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOHANG | WNOWAIT) == 0 && how.si_pid != 0;
  }

  // By pid: waiting through the pidfd, which does not block, would come back too early.
  siginfo_t reap() {
    siginfo_t how{};
    while (waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED) == -1 && errno == EINTR) {
    }
    reaped_ = true;
    return how;
  }

  // It is killed by now, and reaped once it has ended.
  void leave() {
    leave_child(pid_);
    reaped_ = true;
  }

  asio::posix::stream_descriptor& descriptor() { return descriptor_; }

 private:
  pid_t pid_;
  asio::posix::stream_descriptor descriptor_;  // readable once the child has ended
  bool reaped_ = false;
};

// Waits for the end, at most `limit`. Returns whether it has ended; a cancellation ends the waiting too.
asio::awaitable<bool> wait_for_end(Running& child, rules::Duration limit) {
  const auto executor = co_await asio::this_coro::executor;
  const bool cancelled_before = co_await cancelled();
  Deadline deadline(executor);
  deadline.arm(limit, [&child] { child.descriptor().cancel(); });
  for (;;) {
    const auto [error] = co_await child.descriptor().async_wait(descriptor_base::wait_read, as_result);
    if (child.has_ended()) co_return true;
    // An event of a former child may have ended the wait just before the limit did: nothing cancels the next wait.
    const bool cancelled_now = co_await cancelled();
    if (error || deadline.passed() || cancelled_now != cancelled_before) co_return false;
  }
}

// TERM, grace, KILL. A further cancellation only shortens the grace: the child is always ended. False: it hangs, and
// was to be left then.
asio::awaitable<bool> end_softly(Running& child, rules::Duration grace, bool may_leave) {
  child.signal_group(SIGTERM);
  const bool ended = co_await wait_for_end(child, grace);
  child.signal_group(SIGKILL);
  if (ended) co_return true;
  bool gone = false;
  if (may_leave) {
    gone = co_await wait_for_end(child, kill_limit);
    co_return gone;
  }
  while (!gone) {
    const auto [error] = co_await child.descriptor().async_wait(descriptor_base::wait_read, as_result);
    gone = !error && child.has_ended();
  }
  co_return true;
}

// What it would start meanwhile would be left behind, as is what a busy host lets it start before it is stopped. Where
// we are killed while it is held, the kernel ends it: its group is nobody's then (setpgid(2)), and hears HUP.
asio::awaitable<void> put_in_place(const Running& child, pid_t pid, const Place& place) {
  child.signal_group(SIGSTOP);
  co_await place(pid);
  child.signal_group(SIGCONT);
}

void note_end(ChildResult& result, const siginfo_t& how) {
  result.exit_code = how.si_status;
  if (result.end == ChildEnd::exited && how.si_code != CLD_EXITED) result.end = ChildEnd::signalled;
}

}  // namespace

asio::awaitable<ChildResult> run_child(ChildSpec spec) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  ChildResult result;
  reap_left_children();
  SpawnAttempt attempt = spawn_child(spec);
  if (!attempt.spawned) {
    result.error = std::move(attempt.error);
    result.command_missing = attempt.command_missing;
    result.no_descriptors = attempt.no_descriptors;
    co_return result;
  }
  Running child(executor, *attempt.spawned);
  if (spec.started) spec.started(attempt.spawned->pid, spec.limit);
  const auto output = std::make_shared<ChildOutput>(executor, *attempt.spawned, spec.output_max, spec.account);
  output->start();

  const bool cancelled_before = co_await cancelled();
  if (spec.place) co_await put_in_place(child, attempt.spawned->pid, spec.place);
  const bool cancelled_since = co_await cancelled();
  bool ended = false;
  if (cancelled_since == cancelled_before) ended = co_await wait_for_end(child, spec.limit);
  result.end = ChildEnd::exited;
  if (!ended) {
    const bool called_off = co_await cancelled();
    if (called_off)
      result.end = ChildEnd::cancelled;
    else
      result.end = ChildEnd::timed_out;
    ended = co_await end_softly(child, spec.grace, spec.left_at_limit);
  }
  if (ended) {
    if (spec.stragglers == Stragglers::kill) child.signal_group(SIGKILL);
    note_end(result, child.reap());
  } else {
    child.leave();
  }

  co_await output->drained(drain_limit);
  output->stop();
  result.output = std::move(output->all());
  result.output_stdout = std::move(output->standard());
  result.stderr_end = std::move(output->stderr_end());
  result.output_dropped = output->dropped();
  co_return result;
}

}  // namespace probes
