#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace probes {

// A process, told apart from every other that gets the same number before or after it.
struct ProcessId {
  std::string boot;  // the kernel's id of this boot
  pid_t pid = 0;
  std::uint64_t started = 0;  // clock ticks since the boot
};

// nullopt when there is no such process, or /proc does not show it.
std::optional<ProcessId> process_of(pid_t pid);

// Whether exactly this process runs. One that has ended and that nobody has waited for does not.
bool is_running(const ProcessId& process);

// Sends the signal to the group that the process leads, if it runs and leads one. False when it was not sent: errno
// says why, ESRCH when there is nothing to send it to.
bool signal_group(const ProcessId& process, int signal);

}  // namespace probes
