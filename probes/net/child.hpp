#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probes/memory_budget.hpp"
#include "rules/base/time.hpp"

namespace probes {

namespace asio = boost::asio;

// What becomes of processes that the command left behind in its group when it ended by itself.
enum class Stragglers {
  leave,  // a deploy script may start the application in the background
  kill,   // a poll leaves nothing behind
};

// Is told of a child once it runs: its number, which is its group's too, and its time limit.
using Started = std::function<void(pid_t, rules::Duration)>;
// Puts a child somewhere else, soon after it has begun: it is held until this returns. Must not throw.
using Place = std::function<asio::awaitable<void>(pid_t)>;

struct ChildSpec {
  std::vector<std::string> argv;           // argv[0] is looked up in PATH; never a shell
  std::string dir;                         // empty: ours
  std::string user;                        // empty: ours; another needs root
  std::map<std::string, std::string> env;  // added to ours, less NOTIFY_SOCKET, WATCHDOG_*, LISTEN_*
  std::string stdin_file;                  // empty: /dev/null
  std::string stdout_file;                 // empty: captured
  int stdout_descriptor = -1;              // open for writing, the caller's; goes before stdout_file
  rules::Duration limit{};
  rules::Duration grace = std::chrono::seconds(10);  // between TERM and KILL
  // What does not end within limit and grace is killed and left: nothing waits for a process that hangs in the kernel.
  bool left_at_limit = false;
  Stragglers stragglers = Stragglers::leave;
  std::int64_t output_max = 1024 * 1024;     // bytes kept of stdout and stderr together; the rest is counted
  MemoryBudget::Account* account = nullptr;  // that holds what is kept of it; nullptr: nobody counts
  Started started{};                         // called at once; empty: nobody wants to know
  Place place{};                             // empty: it stays where we are
};

enum class ChildEnd {
  exited,       // by itself, with `exit_code`
  signalled,    // by a signal that we did not send
  timed_out,    // at the limit: TERM, grace, KILL to the group
  cancelled,    // the same, because the caller was cancelled
  not_started,  // `error` says why: no such command, no such directory, not permitted
};

struct ChildResult {
  ChildEnd end = ChildEnd::not_started;
  int exit_code = 0;  // or the signal's number
  std::string error;
  bool command_missing = false;     // not_started because the command does not exist or may not be run
  bool no_descriptors = false;      // not_started because of EMFILE, ENFILE, EAGAIN
  std::string output;               // stdout and stderr as they came
  std::string output_stdout;        // stdout alone
  std::string stderr_end;           // at most the last KiB, also of what was dropped
  std::int64_t output_dropped = 0;  // bytes beyond output_max, or beyond what there was memory for
};

// Runs a command in a process group of its own and waits for it. Never throws for what the command does.
// Cancelling it ends the child as a time-out does, and then returns.
// With `user`, the command is run through setpriv(1) with that user's groups, HOME, USER and LOGNAME.
asio::awaitable<ChildResult> run_child(ChildSpec spec);

}  // namespace probes
