#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/time.hpp"

namespace watcher {

// What systemd says of a service's unit.
struct SystemdUnit {
  std::string name;  // with its ending
  std::string load;  // loaded, not-found, masked, bad-setting, ...
  std::string load_error;
  std::string active;  // active, activating, deactivating, inactive, failed, reloading
  std::string sub;     // running, auto-restart, ...
  std::string result;  // success, exit-code, oom-kill, start-limit-hit, ...
  int exit_status = 0;
  std::int64_t restarts = 0;  // by systemd itself
  pid_t main_pid = 0;         // 0: none runs
  std::string control_group;
  std::string commands;                // of ExecStart, with their arguments
  std::string working_directory;       // empty: none is said
  std::vector<std::string> secrets{};  // among what its Environment= says
  rules::Duration started{};           // CLOCK_MONOTONIC, of its newest process; 0: none was since the boot
  rules::Duration ended{};             // the same of when that process ended; 0: it runs
  rules::Duration left_active{};       // the same of when the unit was active last and was so no more
  bool has_job = false;                // systemd is about to do something with it
  bool is_oneshot = false;             // it does its work and ends
  bool tells_itself = false;           // it may say that it stops, and leave `active` before it ends (sd_notify)
  bool is_bound = false;               // to a unit whose end, also by a failure, stops it
  rules::Duration looked_at{};         // the same of when its conditions were, because it was to be started; 0: never
  bool was_passed_over = false;        // since it was active last it was to be started, but for its conditions was not
  std::string exec_conditions;         // commands of ExecCondition=, with their arguments
  std::string unmet;                   // which conditions or asserts, where it was asked: see SystemdRunner::unmet()
  std::string state;                   // another one whenever it was started, stopped, has ended or was reloaded

  bool runs() const { return active == "active" || active == "reloading"; }
  bool is_done() const { return is_oneshot && active == "inactive" && result == "success"; }
};

// The properties that parse_units() reads, as `systemctl show --property=` takes them.
inline constexpr std::string_view unit_properties =
    "Id,Type,Job,LoadState,LoadError,ActiveState,SubState,Result,ExecMainStatus,NRestarts,MainPID,ControlGroup,"
    "ExecStart,"
    "WorkingDirectory,ExecMainStartTimestampMonotonic,ExecMainExitTimestampMonotonic,ActiveExitTimestampMonotonic,"
    "InactiveExitTimestampMonotonic,StateChangeTimestampMonotonic,"
    "ConditionResult,ConditionTimestampMonotonic,ExecCondition,InvocationID,Environment,NotifyAccess,BindsTo,Requisite,"
    "StopPropagatedFrom";

// What `systemctl show` printed of several units, with an empty line between two of them. Nothing is said of a unit
// that has no Id.
std::vector<SystemdUnit> parse_units(std::string_view text);

// Whether, as far as its properties tell, somebody asked systemd to stop the unit while it was active, and it did
// nothing else than to stop (are_stopped() asks the journal first). systemd leaves `active` before the process ends
// where it was asked to, and after it where the process ended by itself.
//
//   ActiveState   Result     left active             stopped?
//   deactivating  success    since the start, the process runs or ended later   yes: it is at it
//   inactive      success    between the process's start and its end            yes
//   failed        exit-code  the same, and the exit code is 143 (128 + TERM)    yes: the JVM and shells end so
//   inactive      success    at the process's end or later                      no: it ended by itself, if with 0
//   inactive      success    before the process's start                         no: it never was active
//   failed        anything else: exit-code, signal, oom-kill, watchdog, ...     no
//   active, activating (auto-restart too), reloading                            no
//
// What may tell systemd itself that it stops (NotifyAccess) leaves `active` as it likes: it is stopped only where TERM
// ended it. Of what is bound to another unit (BindsTo, Requisite, StopPropagatedFrom) nobody can tell whether that one
// failed: it is not stopped. Nor is what was to be started since, but for its conditions was not.
bool is_stopped(const SystemdUnit& unit);

// Which conditions or asserts were not met, as `systemctl status` tells of a unit; empty: it names none.
std::string unmet_in(std::string_view status);
// The asserts that its files have, as `systemctl cat` prints those.
std::string asserts_in(std::string_view files);

// Why the unit could not be started, for people, with what to do; empty: it could.
std::string why_no_start(const SystemdUnit& unit);

// "web.service has failed (exit-code, 203) and was restarted 3 times; its last words: journalctl -u web.service".
std::string ending_of(const SystemdUnit& unit);

}  // namespace watcher
