#include "watcher/serve/doors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <variant>

#include "watcher/drivers/trusted_path.hpp"
#include "watcher/journal/state_dir_trust.hpp"
#include "watcher/serve/bind.hpp"

namespace watcher {

namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string who() { return "the user that we run as (uid " + std::to_string(::geteuid()) + ")"; }

// Whoever asks may be another user than the one who will run it.
bool may_not_write(const std::string& folder, const struct stat& found) {
  const bool is_us = ::geteuid() == 0 || found.st_uid == ::geteuid();
  return is_us && ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0;
}

// Also a sticky one, where nobody can remove ours, but anybody can be there first.
std::string why_not_folder(const std::string& folder, const struct stat& found) {
  if (!S_ISDIR(found.st_mode)) return folder + " is no folder; name another one";
  if ((found.st_mode & S_IWOTH) != 0)
    return folder + " can be written by other users, who could put a socket of theirs there; name a folder of its own";
  if (may_not_write(folder, found)) return "we may not write in " + folder + "; chmod u+wx " + folder;
  return why_keeps_no_files(folder);
}

// The last name of the way is made at the start.
std::string why_not_made(const std::string& folder) {
  const std::string above = folder_of(folder);
  struct stat found {};
  if (::stat(above.c_str(), &found) != 0 || !S_ISDIR(found.st_mode))
    return "the folder " + above + " is not there; make it, or change watcher.control";
  if (may_not_write(above, found)) return "we may not make " + folder + " in " + above + "; make it for " + who();
  return why_keeps_no_files(above);
}

}  // namespace

std::string why_not_control(const std::string& path) {
  const std::string subject = "control socket " + path + ": ";
  if (path.ends_with('/')) return subject + "that is the name of a folder; name a file in it";
  const std::string folder = folder_of(path);
  if (const auto unsafe = led_by_others(folder))
    return subject + "who can change the way to it can answer commands in our place: " + *unsafe +
           ", or let watcher.control be elsewhere";
  struct stat found {};
  const bool is_there = ::stat(folder.c_str(), &found) == 0;
  std::string why = is_there ? why_not_folder(folder, found) : why_not_made(folder);
  if (!why.empty()) return subject + why;
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode))
    return subject + "something that is not a socket is there; remove it, or change watcher.control";
  if (found.st_uid != 0 && found.st_uid != ::geteuid() && ::geteuid() == 0)
    return subject + "it belongs to another user (uid " + std::to_string(found.st_uid) + "); remove it";
  return {};
}

std::string why_not_listen(const WatcherSection& watcher) {
  if (watcher.listen == "off") return {};
  asio::io_context io;
  if (!watcher.control.empty() && somebody_answers(io.get_executor(), watcher.control)) return {};
  return why_not_bound(io.get_executor(), watcher.listen);
}

}  // namespace watcher
