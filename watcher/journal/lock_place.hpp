#pragma once

#include <sys/types.h>

#include <string>

namespace watcher {

// Who may open the file of the host's lock may keep every watcher of the host from acting for as long as he likes. It
// stands in a folder that its owner alone made, and is for him and the group of that folder.
struct LockPlace {
  std::string path;
  std::string refused;  // why there is none for us, and what to do; path is empty then
};

// The folder that root's watchers share, with those users whom its group lets in.
inline constexpr const char* shared_lock_folder = "/run/rollbackd-host";

// The file named by ROLLBACKD_HOST_LOCK; else one in the shared folder, which root makes. Where there is no such
// folder, each user who is not root has a lock of his own: in XDG_RUNTIME_DIR, /run/user/UID or his home, the first
// that is his alone, else in the state directory. Never where others can make files.
LockPlace host_lock_place(const std::string& state_dir);

// The same for a shared folder of this owner, as seen by a process of user `self`.
LockPlace lock_place_in(const std::string& folder, uid_t owner, uid_t self, const std::string& state_dir);

// Why this process cannot have the host's lock at any time; empty when it can whenever nobody holds it.
std::string why_no_host_lock(const std::string& state_dir);

}  // namespace watcher
