#include "probes/net/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/net/descriptor.hpp"
#include "probes/net/user.hpp"

extern char** environ;

namespace probes {

namespace {

// Of ours, what a child must not have: it would speak to our service manager in our name.
constexpr std::array<std::string_view, 3> withheld{"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_"};
constexpr int first_not_standard = 3;

struct Streams {
  Descriptor in;  // what the child gets
  Descriptor out;
  Descriptor err;
  Descriptor out_read;  // what we keep
  Descriptor err_read;
};

SpawnAttempt failed(const std::string& what, int error) {
  SpawnAttempt attempt;
  attempt.error = what + ": " + std::strerror(error);
  attempt.no_descriptors = error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM;
  if (attempt.no_descriptors) attempt.error += "; raise LimitNOFILE or TasksMax";
  return attempt;
}

// Sets `failure` and returns an open pipe's ends otherwise.
bool make_pipe(Descriptor& read_end, Descriptor& write_end, SpawnAttempt& failure) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) == -1) {
    failure = failed("make a pipe", errno);
    return false;
  }
  read_end = Descriptor(ends[0]);
  write_end = Descriptor(ends[1]);
  return true;
}

bool open_file(Descriptor& descriptor, const std::string& path, int flags, SpawnAttempt& failure) {
  constexpr mode_t private_file = 0600;
  descriptor = Descriptor(open(path.c_str(), flags | O_CLOEXEC, private_file));
  if (!descriptor.is_open()) failure = failed("open " + path, errno);
  return descriptor.is_open();
}

bool duplicate(Descriptor& descriptor, int number, SpawnAttempt& failure) {
  descriptor = Descriptor(fcntl(number, F_DUPFD_CLOEXEC, first_not_standard));
  if (!descriptor.is_open()) failure = failed("duplicate the descriptor of the output", errno);
  return descriptor.is_open();
}

bool open_streams(const ChildSpec& spec, Streams& streams, SpawnAttempt& failure) {
  const std::string in = spec.stdin_file.empty() ? "/dev/null" : spec.stdin_file;
  if (!open_file(streams.in, in, O_RDONLY, failure)) return false;
  if (!make_pipe(streams.err_read, streams.err, failure)) return false;
  if (spec.stdout_descriptor >= 0) return duplicate(streams.out, spec.stdout_descriptor, failure);
  if (spec.stdout_file.empty()) return make_pipe(streams.out_read, streams.out, failure);
  return open_file(streams.out, spec.stdout_file, O_WRONLY | O_CREAT | O_TRUNC, failure);
}

bool is_withheld(std::string_view entry) {
  for (const std::string_view prefix : withheld) {
    if (entry.starts_with(prefix)) return true;
  }
  return false;
}

std::vector<std::string> environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (is_withheld(text) || added.contains(std::string(text.substr(0, text.find('='))))) continue;
    entries.emplace_back(text);
  }
  for (const auto& [name, value] : added) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& text : strings) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// The attributes and file actions of one spawn.
class Recipe {
 public:
  Recipe(const Streams& streams, const std::string& dir) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, streams.in.number(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, streams.out.number(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, streams.err.number(), STDERR_FILENO);
    if (!dir.empty()) posix_spawn_file_actions_addchdir_np(&actions_, dir.c_str());
    posix_spawn_file_actions_addclosefrom_np(&actions_, first_not_standard);
    posix_spawnattr_init(&attributes_);
    sigset_t all;
    sigfillset(&all);
    // Ignored signals are inherited through exec: a child that never dies of SIGPIPE would spin. What is blocked is as
    // we were started: nothing here blocks a signal in the thread that starts children.
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  }
  ~Recipe() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  Recipe(const Recipe&) = delete;
  Recipe& operator=(const Recipe&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

SpawnAttempt spawn_failed(const std::string& command, int error) {
  SpawnAttempt attempt = failed("run " + command, error);
  attempt.command_missing = error == ENOENT || error == EACCES || error == ENOEXEC || error == ENOTDIR;
  if (error == ENOENT) attempt.error = "run " + command + ": no such command, or its interpreter is missing";
  return attempt;
}

bool is_directory(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

SpawnAttempt started(pid_t pid, Streams& streams) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd == -1) {
    const int error = errno;
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return failed("watch a child", error);
  }
  SpawnAttempt attempt;
  attempt.spawned = Spawned{pid, pidfd, streams.out_read.release(), streams.err_read.release()};
  return attempt;
}

}  // namespace

SpawnAttempt spawn_child(const ChildSpec& spec) {
  SpawnAttempt failure;
  if (spec.argv.empty()) {
    failure.error = "run: the command is empty";
    return failure;
  }
  // posix_spawn says ENOENT for a missing directory too.
  if (!spec.dir.empty() && !is_directory(spec.dir)) {
    failure.error = "run " + spec.argv.front() + ": the directory " + spec.dir + " does not exist";
    return failure;
  }
  AsUser as_user = as_user_of(spec);
  if (!as_user.error.empty()) {
    failure.error = std::move(as_user.error);
    failure.command_missing = as_user.command_missing;
    return failure;
  }
  Streams streams;
  if (!open_streams(spec, streams, failure)) return failure;
  std::vector<std::string> entries = environment(as_user.env);
  const std::vector<char*> argv = pointers(as_user.argv);
  const std::vector<char*> envp = pointers(entries);
  const Recipe recipe(streams, spec.dir);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], recipe.actions(), recipe.attributes(), argv.data(), envp.data());
  if (error != 0) return spawn_failed(spec.argv.front(), error);
  return started(pid, streams);
}

}  // namespace probes
