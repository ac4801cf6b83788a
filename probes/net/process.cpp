#include "probes/net/process.hpp"

#include <signal.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace probes {

namespace {

// Of /proc/PID/stat.
struct Stat {
  char state = 0;
  pid_t group = 0;
  std::uint64_t started = 0;
};

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The command's name is the second field, in brackets, and may have blanks and brackets in it.
std::optional<Stat> stat_of(pid_t pid) {
  constexpr int fields_from_group_to_start = 16;
  const std::string line = first_line("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  Stat stat;
  std::string skipped;
  rest >> stat.state >> skipped >> stat.group;
  for (int field = 0; field < fields_from_group_to_start; ++field) rest >> skipped;
  rest >> stat.started;
  if (!rest) return std::nullopt;
  return stat;
}

std::string this_boot() { return first_line("/proc/sys/kernel/random/boot_id"); }

std::optional<Stat> running(const ProcessId& process) {
  const std::optional<Stat> stat = stat_of(process.pid);
  const bool has_ended = !stat || stat->state == 'Z' || stat->state == 'X';
  if (has_ended || stat->started != process.started || process.boot != this_boot()) return std::nullopt;
  return stat;
}

}  // namespace

std::optional<ProcessId> process_of(pid_t pid) {
  const std::optional<Stat> stat = stat_of(pid);
  if (!stat) return std::nullopt;
  return ProcessId{this_boot(), pid, stat->started};
}

bool is_running(const ProcessId& process) { return running(process).has_value(); }

bool signal_group(const ProcessId& process, int signal) {
  const std::optional<Stat> stat = running(process);
  if (!stat || stat->group != process.pid) {
    errno = ESRCH;
    return false;
  }
  return kill(-process.pid, signal) == 0;
}

}  // namespace probes
