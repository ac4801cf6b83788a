#include "watcher/journal/lock_place.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "journal_support.hpp"
#include "somebody_else.hpp"
#include "watcher/journal/journal.hpp"

using journal_support::contains;
using journal_support::Folder;

namespace {

constexpr uid_t somebody = 65534;  // nobody's number: a user who is neither us nor root

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & ALLPERMS;
}

// A variable of the environment, as it was before in the end.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;
  ~Setting() {
    if (before_.empty())
      ::unsetenv(name_);
    else
      ::setenv(name_, before_.c_str(), 1);
  }

 private:
  const char* name_;
  std::string before_;
};

// Whether another local user comes to hold the file's lock.
bool others_can_hold(const std::string& path) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::setgid(somebody) != 0 || ::setuid(somebody) != 0) ::_exit(2);
    const int file = ::open(path.c_str(), O_RDONLY);
    ::_exit(file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) != 2);
  return WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("the shared folder of the host's lock is made by its owner and for nobody else") {
  const Folder above;
  const std::string folder = above.path + "/rollbackd-host";
  const watcher::LockPlace place = watcher::lock_place_in(folder, ::geteuid(), ::geteuid(), "");
  CHECK(place.path == folder + "/host.lock");
  CHECK(place.refused.empty());
  CHECK(mode_of(folder) == 0700);
  // And it is found again.
  CHECK(watcher::lock_place_in(folder, ::geteuid(), ::geteuid(), "").path == place.path);
}

TEST_CASE("a folder that others could have made, or can exchange, holds no lock") {
  const Folder above;
  const std::string folder = above.path + "/rollbackd-host";
  const std::string elsewhere = above.path + "/elsewhere";
  REQUIRE(std::filesystem::create_directory(elsewhere));
  SUBCASE("everybody writes it") {
    REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
    REQUIRE(::chmod(folder.c_str(), 01777) == 0);
  }
  SUBCASE("a link") { std::filesystem::create_symlink(elsewhere, folder); }
  SUBCASE("a file") { REQUIRE(::close(::open(folder.c_str(), O_CREAT | O_WRONLY, 0600)) == 0); }
  const watcher::LockPlace place = watcher::lock_place_in(folder, ::geteuid(), ::geteuid(), "");
  CHECK(place.path.empty());
  CHECK(contains(place.refused, folder));
}

TEST_CASE("a folder of another owner holds no lock") {
  const Folder above;
  const watcher::LockPlace place = watcher::lock_place_in(above.path, ::geteuid() + 1, ::geteuid() + 1, "");
  CHECK(place.path.empty());
  CHECK(contains(place.refused, above.path));
}

TEST_CASE("without a shared folder a user who is not its owner has a lock of his own, in a folder of his own") {
  const Folder above;
  const Setting runtime("XDG_RUNTIME_DIR", above.path);
  const std::string own = above.path + "/rollbackd-" + std::to_string(::geteuid());
  SUBCASE("made") {
    const watcher::LockPlace place =
        watcher::lock_place_in(above.path + "/rollbackd-host", ::geteuid() + 1, ::geteuid(), "");
    CHECK(place.path == own + "/host.lock");
    CHECK(mode_of(own) == 0700);
  }
  SUBCASE("exchanged for a link by somebody else") {
    std::filesystem::create_symlink("/tmp", own);
    const watcher::LockPlace place =
        watcher::lock_place_in(above.path + "/rollbackd-host", ::geteuid() + 1, ::geteuid(), "");
    CHECK(place.path.empty());
    CHECK(contains(place.refused, own));
  }
}

TEST_CASE("without a folder of the session a user's lock is in his home, where nobody can be first") {
  const Folder above;
  const Setting runtime("XDG_RUNTIME_DIR", "");
  const watcher::LockPlace place =
      watcher::lock_place_in(above.path + "/rollbackd-host", ::geteuid() + 1, ::geteuid(), "");
  CHECK(place.refused.empty());
  const bool is_session = std::filesystem::exists("/run/user/" + std::to_string(::geteuid()));
  const char* const home = ::getpwuid(::geteuid())->pw_dir;
  if (!is_session && std::filesystem::exists(home)) CHECK(place.path.starts_with(home));
}

TEST_CASE("a user without session and home has his lock in the state directory, never where others can make files") {
  if (!can_be_somebody_else()) return;
  const Folder above;
  constexpr uid_t homeless = 54321;
  REQUIRE(::chmod(above.path.c_str(), 0755) == 0);
  const std::string open = above.path + "/open";
  const std::string state = above.path + "/state";
  for (const std::string& folder : {open, state}) REQUIRE(std::filesystem::create_directory(folder));
  REQUIRE(::chmod(open.c_str(), 01777) == 0);
  REQUIRE(::chown(open.c_str(), homeless, homeless) == 0);
  REQUIRE(::chown(state.c_str(), homeless, homeless) == 0);
  const Setting runtime("XDG_RUNTIME_DIR", open);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool changed = ::setgid(homeless) == 0 && ::setuid(homeless) == 0;
    const watcher::LockPlace place = watcher::lock_place_in(above.path + "/rollbackd-host", 0, homeless, state);
    ::_exit(changed && place.path == state + "/rollbackd-54321/host.lock" ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("whom the shared folder does not let in is told how its owner lets him") {
  const Folder above;
  const std::string folder = above.path + "/rollbackd-host";
  REQUIRE(::mkdir(folder.c_str(), 0000) == 0);
  const uid_t owner = ::geteuid();
  // Root enters every folder.
  if (owner == 0) REQUIRE(::chmod(above.path.c_str(), 0711) == 0);
  if (owner == 0) REQUIRE(::seteuid(somebody) == 0);
  const watcher::LockPlace place = watcher::lock_place_in(folder, owner, owner == 0 ? somebody : owner + 1, "");
  if (owner == 0) REQUIRE(::seteuid(0) == 0);
  REQUIRE(::chmod(folder.c_str(), 0700) == 0);
  CHECK(place.path.empty());
  CHECK(contains(place.refused, "chgrp GROUP " + folder));
}

TEST_CASE("no other local user can hold the host's lock") {
  const Folder folder;
  const std::string file = folder.path + "/host.lock";
  const Setting named("ROLLBACKD_HOST_LOCK", file);
  // Whoever may enter the folder: the file is for its group.
  REQUIRE(::chmod(folder.path.c_str(), 0755) == 0);
  std::string holder;
  SUBCASE("made anew") {}
  SUBCASE("left as the first versions made it") {
    REQUIRE(::close(::open(file.c_str(), O_CREAT | O_RDWR, 0600)) == 0);
    REQUIRE(::chmod(file.c_str(), 0666) == 0);
  }
  CHECK(watcher::HostLock::try_take("switch web", "", holder));
  CHECK(mode_of(file) == 0660);
  if (::geteuid() == 0) CHECK_FALSE(others_can_hold(file));
}

TEST_CASE(
    "a lock that somebody else left open to everybody, or that stands where everybody makes files, is not taken") {
  const Folder folder;
  std::string file = folder.path + "/host.lock";
  std::string words = "chmod 660";
  SUBCASE("of another user and open to everybody") {
    if (::geteuid() != 0) return;  // only root can make another user's file
    REQUIRE(::close(::open(file.c_str(), O_CREAT | O_RDWR, 0600)) == 0);
    REQUIRE(::chmod(file.c_str(), 0666) == 0);
    REQUIRE(::chown(file.c_str(), somebody, somebody) == 0);
  }
  SUBCASE("in a folder of everybody's") {
    file = folder.path + "/open/host.lock";
    words = "anybody";
    REQUIRE(::mkdir((folder.path + "/open").c_str(), 0700) == 0);
    REQUIRE(::chmod((folder.path + "/open").c_str(), 01777) == 0);
  }
  const Setting named("ROLLBACKD_HOST_LOCK", file);
  std::string holder;
  CHECK_FALSE(watcher::HostLock::try_take("switch web", "", holder));
  CHECK(contains(holder, words));
  CHECK(watcher::why_no_host_lock("") == holder);
}

TEST_CASE("that somebody holds the host's lock is no reason why it could never be had") {
  const Folder folder;
  const Setting named("ROLLBACKD_HOST_LOCK", folder.path + "/host.lock");
  std::string holder;
  const auto lock = watcher::HostLock::try_take("switch web", "", holder);
  REQUIRE(lock);
  CHECK(watcher::why_no_host_lock("").empty());
}
