#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/time.hpp"
#include "watcher/drivers/git_look.hpp"

namespace watcher {

// A process as pm2 tells of it. Its environment, which pm2 tells as well, is left out.
struct Pm2Process {
  std::string name;
  std::int64_t id = 0;
  pid_t pid = 0;           // 0: it does not run
  std::string status;      // online, launching, stopping, stopped, errored, ...
  rules::Instant started;  // last, by the wall clock
  std::int64_t restarts = 0;
  std::int64_t exit_code = 0;   // of the last end; 0 also where a signal ended it
  bool restarts_itself = true;  // pm2 starts it again when it ends, with whatever code
  bool has_given_up = false;    // pm2 has, on what it restarted too often

  bool is_online() const { return status == "online" && pid > 0; }
  // Another one whenever it was started.
  std::string state() const;
};

// Whether somebody told pm2 to stop the process: what ends by itself pm2 starts again, or calls errored.
//
//   status    exit code               stopped?
//   stopping  any                     no: pm2 itself restarts what takes too much memory
//   stopped   0, 130 (INT), 143       yes
//   stopped   another                 no: it crashed before
//   stopped   any, with autorestart = false or stop_exit_codes            no: it may have ended by itself
//   stopped   any, and pm2 had given up on it                             no
//   online, launching, waiting restart, errored, one-launch-status        no
bool is_stopped(const Pm2Process& process);

// The same of one that was started a moment ago. What it ended with says less then, since it may not know yet how it
// answers a signal: what pm2 would have started again, and has not, somebody has stopped.
//
//   status    restarts itself   pm2 had given up   stopped?
//   stopped   yes               no                 yes, whatever its exit code
//   stopped   no                any                no: it may have ended by itself
//   stopped   any               yes                no: it crashed again and again before
//   another   any               any                no
bool is_stopped_anew(const Pm2Process& process);

struct Pm2Listing {
  std::vector<Pm2Process> processes;  // of those names
  std::vector<std::string> secrets;   // values of their environments that nothing which is kept may have in it
  std::string missing;                // that it has none of one of the names, for people; empty: it has them all

  std::string why_not() const;
  // Where one was there before: processes do not go from pm2's list by themselves.
  std::string why_deleted() const;
};

// What `pm2 jlist` printed, of the processes with these names. nullopt: it is none.
std::optional<Pm2Listing> parse_pm2(std::string_view text, const std::vector<std::string>& names);

// When HEAD was moved last.
struct HeadMoved {
  rules::Instant noted;  // its log was written
  rules::Instant told;   // as the log says, in whole seconds; a log that was tidied up is written later
};
bool is_after(const HeadMoved& moved, rules::Instant started);

// Of a process that is in this state it is known which commit it was started from.
struct Pm2Known {
  std::string state;
  std::string revision;
};
using Pm2Memory = std::map<std::int64_t, Pm2Known>;  // by the process's number

struct Pm2Runs {
  std::string revision;  // empty: see `error`
  std::string error;
  bool differ = false;  // the error is that they run several
};
// What the processes run: they have to agree. Remembers what is found of each.
Pm2Runs runs_of(const std::vector<Pm2Process>& processes, const GitLook& look, const HeadMoved& moved,
                Pm2Memory& memory);

// How far the processes have come after a restart.
struct Pm2Progress {
  std::string failed;   // for people; empty: none has
  std::string stopped;  // the same of what somebody stopped, where nothing has failed but that; empty: nobody did
  std::string awaited;  // the same; empty: all are online, and were started anew
  std::string seen;     // the same as long as none was started
};
Pm2Progress progress_of(const std::vector<Pm2Process>& processes, const HeadMoved& moved, std::int64_t restarts_before);

std::int64_t restarts_of(const std::vector<Pm2Process>& processes);

}  // namespace watcher
