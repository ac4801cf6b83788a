#include "watcher/serve/peer.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace watcher {

namespace {

constexpr std::size_t groups_max = 65536;  // NGROUPS_MAX of Linux

// Of the peer when it connected; without its primary group.
std::vector<gid_t> supplementary_groups(int socket) {
  std::vector<gid_t> groups(groups_max);
  socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return {};
  groups.resize(size / sizeof(gid_t));
  return groups;
}

}  // namespace

Peer peer_of(int socket, std::optional<unsigned> group) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return {.allowed = false, .is_ours = false, .uid = std::nullopt, .name = "unknown"};
  Peer peer;
  peer.uid = credentials.uid;
  peer.name = "uid " + std::to_string(credentials.uid);
  peer.is_ours = peer.allowed = credentials.uid == 0 || credentials.uid == geteuid();
  if (peer.allowed || !group) return peer;
  const std::vector<gid_t> groups = supplementary_groups(socket);
  peer.allowed = credentials.gid == *group || std::find(groups.begin(), groups.end(), *group) != groups.end();
  return peer;
}

}  // namespace watcher
