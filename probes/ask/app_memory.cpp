#include "probes/ask/app_memory.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <vector>

#include "probes/parse/listeners.hpp"

namespace probes {

namespace {

namespace fs = std::filesystem;

using Inodes = std::set<std::uint64_t>;

std::string link_of(const fs::path& path) {
  std::error_code failed;
  const fs::path target = fs::read_symlink(path, failed);
  return failed ? std::string() : target.string();
}

// The processes below `proc`, by id.
std::vector<int> pids_of(const std::string& proc) {
  std::vector<int> out;
  std::error_code failed;
  for (fs::directory_iterator at(proc, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    const bool number = !name.empty() && name.size() < 10 &&
                        std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number) out.push_back(std::stoi(name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string folder_of(const std::string& proc, int pid) { return proc + "/" + std::to_string(pid); }

// The sockets that listen on the port in the network of what lies in `net`.
Inodes inodes_in(const std::string& net, std::uint16_t port) {
  Inodes out;
  for (const std::string name : {"/tcp", "/tcp6"}) {
    const auto text = read_net_file(net + name);
    if (text) out.merge(listening_inodes(*text, port));
  }
  return out;
}

// The first process that holds one of the sockets.
std::optional<Listener> holder_of(const std::string& proc, const std::vector<int>& pids, const Inodes& inodes) {
  std::set<std::string> sockets;
  for (const std::uint64_t inode : inodes) sockets.insert(socket_link(inode));
  for (const int pid : pids) {
    std::error_code failed;
    const fs::path folder = folder_of(proc, pid) + "/fd";
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
      const std::string link = link_of(at->path());
      if (!sockets.contains(link)) continue;
      Listener out;
      out.seen = Listener::Seen::process;
      out.pid = pid;
      out.descriptor = at->path().string();
      out.socket = link;
      return out;
    }
  }
  return std::nullopt;
}

void read_process(const std::string& proc, int pid, Listener& out) {
  const auto name = read_small_file(folder_of(proc, pid) + "/comm");
  if (name) out.name = name->substr(0, name->find('\n'));
  const auto groups = read_small_file(folder_of(proc, pid) + "/cgroup");
  out.place = groups ? parse_cgroup_place(*groups) : std::nullopt;
}

// The process in another network than ours that has the address, and the port where somebody there listens on it.
std::optional<Listener> behind_proxy(const std::string& proc, const std::vector<int>& pids, const ProxiedTo& to) {
  std::set<std::string> looked_at;
  for (const int pid : pids) {
    const std::string folder = folder_of(proc, pid);
    if (!looked_at.insert(link_of(folder + "/ns/net")).second) continue;
    const auto addresses = read_net_file(folder + "/net/fib_trie");
    if (!addresses || !has_own_address(*addresses, to.ip)) continue;
    const Inodes inodes = inodes_in(folder + "/net", to.port);
    return holder_of(proc, pids, inodes);
  }
  return std::nullopt;
}

std::string size_text(double bytes) {
  constexpr double mebibyte = 1024 * 1024;
  return std::to_string(static_cast<long long>(bytes / mebibyte)) + " MiB";
}

}  // namespace

Listener find_listener(const std::string& proc, std::uint16_t port) {
  const Inodes inodes = inodes_in(proc + "/net", port);
  if (inodes.empty()) return {};
  const std::vector<int> pids = pids_of(proc);
  std::optional<Listener> out = holder_of(proc, pids, inodes);
  if (!out) return {Listener::Seen::hidden, 0, "", "", "", std::nullopt};
  const auto command = read_small_file(folder_of(proc, out->pid) + "/cmdline");
  if (const auto to = command ? docker_proxy_target(*command) : std::nullopt) {
    out = behind_proxy(proc, pids, *to);
    if (!out) return {Listener::Seen::hidden, 0, "", "", "docker-proxy", std::nullopt};
  }
  read_process(proc, out->pid, *out);
  return *std::move(out);
}

bool AppMemory::must_look() const {
  return listener_.seen != Listener::Seen::process || link_of(listener_.descriptor) != listener_.socket;
}

void AppMemory::found(Listener listener) {
  listener_ = std::move(listener);
  was_seen_ = was_seen_ || listener_.seen != Listener::Seen::nobody;
  if (listener_.seen == Listener::Seen::process) place_ = listener_.place;
}

AppMemory::Whose AppMemory::look_at_group() {
  const bool was_limited = whose_ != Whose::host;
  const auto memory = place_ ? read_cgroup_memory(what_, *place_) : std::nullopt;
  if (memory && memory->limit > 0) {
    memory_ = *memory;
    whose_ = Whose::group;
  } else if (listener_.seen == Listener::Seen::nobody && (was_seen_ || !what_.or_host)) {
    // What is down has no memory: the host's in its place would be a jump, and what a rule judges somebody else's.
    whose_ = Whose::unknown;
  } else if (!memory && was_limited && listener_.seen != Listener::Seen::process) {
    whose_ = Whose::unknown;
  } else {
    whose_ = Whose::host;
  }
  return whose_;
}

std::string AppMemory::why_unknown() const { return "no process listens on port " + std::to_string(what_.port); }

std::string AppMemory::said() const {
  const std::string port = "port " + std::to_string(what_.port);
  const std::string who = listener_.name + " (process " + std::to_string(listener_.pid) + ") listens on " + port;
  switch (whose_) {
    case Whose::group:
      return "memory is that of control group " + place_->path + ", of at most " + size_text(memory_.limit) + ": " +
             who;
    case Whose::unknown:
      return "memory cannot be measured: " + why_unknown();
    case Whose::host:
      break;
  }
  switch (listener_.seen) {
    case Listener::Seen::nobody:
      return "memory is the host's: no process here listens on " + port;
    case Listener::Seen::hidden:
      return "memory is the host's: which process listens on " + port + " cannot be seen" +
             (listener_.name.empty() ? "; run as root to measure against its limit" : " behind " + listener_.name);
    case Listener::Seen::process:
      break;
  }
  return "memory is the host's: " + who + ", and no control group limits it";
}

}  // namespace probes
