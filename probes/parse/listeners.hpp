#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace probes {

// Pure functions over what the kernel and Docker say of who listens on a port.

// The inodes of the sockets that listen on the port, from /proc/net/tcp or /proc/net/tcp6.
std::set<std::uint64_t> listening_inodes(std::string_view proc_net_tcp, std::uint16_t port);

// What /proc/PID/fd/N of a socket links to.
std::string socket_link(std::uint64_t inode);

// Where Docker's proxy of a published port leads to, from the words of its command line.
struct ProxiedTo {
  std::string ip;
  std::uint16_t port = 0;
};
std::optional<ProxiedTo> docker_proxy_target(std::string_view proc_cmdline);

// Whether the address is one of the network namespace's own, from /proc/PID/net/fib_trie.
bool has_own_address(std::string_view fib_trie, std::string_view ip);

}  // namespace probes
