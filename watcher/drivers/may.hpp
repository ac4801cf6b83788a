#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace watcher {

// Whom the kernel asks about when a file is opened.
struct Credentials {
  std::string name;  // for people
  uid_t uid = 0;
  std::vector<gid_t> groups;
  bool are_ours = false;
};

// Of that user, as setpriv(1) makes them; empty: ours. nullopt: there is no such user.
std::optional<Credentials> credentials_of(const std::string& user);

enum class Want { read, write, run };  // of a folder, `run` is to go through it

// Whether the entry itself, a file or folder at the end of the path, allows it. Of somebody else it is worked out from
// owner, groups and mode as the kernel does it, without becoming that user; an entry with an access control list is
// said to allow what its mode does not. False when it is not there.
bool allows(const std::string& path, const Credentials& who, Want want);

// Why nobody may change the entry, whoever asks, for people, with what to do: what it lies on is mounted read-only, or
// it was made immutable. Empty: nothing of that is known.
std::string why_unchangeable(const std::string& path);

// The first folder on the way to the path's end, links followed, that the user may not go through; nullopt: none, or
// the way ends before. A relative path begins at our directory. The way is entered at the folder whose name ends at
// `from`, a place in the path.
std::optional<std::string> closed_folder(const std::string& path, const Credentials& who, std::size_t from);

}  // namespace watcher
