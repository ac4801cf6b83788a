#pragma once

#include <optional>
#include <string>

namespace watcher {

// Who is at the other end of a connection to the control socket.
struct Peer {
  bool allowed = false;  // root, ourselves, or a member of the group
  bool is_ours = false;  // root or ourselves
  std::optional<unsigned> uid;
  std::string name;  // for people and the journal: "uid 1000"
};

// As the kernel knows it: neither names nor their lookup are needed, which could hang.
Peer peer_of(int socket, std::optional<unsigned> group);

}  // namespace watcher
