#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "journal_support.hpp"
#include "somebody_else.hpp"

#include "watcher/journal/state_dir_trust.hpp"

using namespace journal_support;

// Whoever writes in the state directory decides what was done and what may be done again.

TEST_CASE("a state directory that others can write is refused, and a folder in it is taken") {
  const Folder folder;
  const std::string state = folder.path + "/state";
  REQUIRE(std::filesystem::create_directory(state));
  for (const mode_t mode : {mode_t{0770}, mode_t{0702}, mode_t{01777}}) {
    CAPTURE(mode);
    REQUIRE(::chmod(state.c_str(), mode) == 0);
    CHECK(contains(fault_of(watcher::Journal::open(state)).what,
                   "state_dir " + state + " can be written by other users"));
  }
  CHECK(open(state + "/own")->found().durable.ledger.empty());
  REQUIRE(::chmod(state.c_str(), 0755) == 0);
  CHECK(open(state)->found().durable.ledger.empty());
}

TEST_CASE("a state directory of another user is refused") {
  if (!can_be_somebody_else()) return;
  const Folder folder;
  const std::string state = folder.path + "/state";
  REQUIRE(std::filesystem::create_directory(state));
  give_to_nobody(state);
  CHECK(contains(fault_of(watcher::Journal::open(state)).what, "state_dir " + state + " belongs to another user"));
}

TEST_CASE("a database that is a link is refused, also one that leads nowhere") {
  const Folder folder;
  const std::string state = folder.path + "/state";
  const std::string elsewhere = folder.path + "/elsewhere";
  SUBCASE("leads to a database") { open(elsewhere); }
  SUBCASE("leads nowhere") {}
  REQUIRE(std::filesystem::create_directory(state));
  std::filesystem::create_symlink(elsewhere + "/rollbackd.db", state + "/rollbackd.db");
  CHECK(contains(fault_of(watcher::Journal::open(state)).what, state + "/rollbackd.db is a symbolic link"));
  CHECK(std::filesystem::exists(elsewhere) == std::filesystem::exists(elsewhere + "/rollbackd.db"));
}

TEST_CASE("a state directory is as safe as every folder and link on the way to it") {
  const Folder folder;
  const std::string state = folder.path + "/way/state";
  REQUIRE(std::filesystem::create_directory(folder.path + "/way"));
  const auto refused = [&](const std::string& path) {
    const std::string why = watcher::why_not_state_dir(path);
    if (why.empty()) return why;
    CHECK(fault_of(watcher::Journal::open(path)).what == why);
    return why;
  };
  REQUIRE(::chmod((folder.path + "/way").c_str(), 0777) == 0);
  CHECK(contains(refused(state), folder.path + "/way can be written by other users; chmod go-w"));
  CHECK_FALSE(std::filesystem::exists(state));
  std::filesystem::create_symlink("way/state", folder.path + "/link");
  CHECK(contains(refused(folder.path + "/link"), folder.path + "/way can be written by other users"));
  // In a sticky one nobody else can move it, and what a group of ours may write is ours.
  for (const mode_t mode : {mode_t{01777}, mode_t{0775}, mode_t{0755}}) {
    CAPTURE(mode);
    REQUIRE(::chmod((folder.path + "/way").c_str(), mode) == 0);
    CHECK(refused(state).empty());
    CHECK(open(state)->found().durable.ledger.empty());
    CHECK(refused(state).empty());
  }
  CHECK(refused(folder.path + "/link").empty());
  if (!can_be_somebody_else()) return;
  REQUIRE(::lchown((folder.path + "/link").c_str(), 65534, 65534) == 0);
  CHECK(contains(refused(folder.path + "/link"), "/link belongs to another user"));
  REQUIRE(::chmod((folder.path + "/way").c_str(), 0775) == 0);
  REQUIRE(::chown((folder.path + "/way").c_str(), 0, 65534) == 0);
  CHECK(contains(refused(state), "/way can be written by other users"));
}

TEST_CASE("a database that others can write is refused, and so is what belongs to it") {
  const Folder folder;
  const std::string state = folder.path + "/state";
  open(state);
  for (const std::string name : {"rollbackd.db", "rollbackd.db-wal", "rollbackd.db-shm", "guards"}) {
    CAPTURE(name);
    const std::string file = state + "/" + name;
    if (!std::filesystem::exists(file)) std::ofstream(file).close();
    for (const mode_t mode : {mode_t{0666}, mode_t{0660}, mode_t{0602}}) {
      REQUIRE(::chmod(file.c_str(), mode) == 0);
      const std::string why = file + " can be written by other users; chmod go-w " + file;
      CHECK(fault_of(watcher::Journal::open(state)).what == why);
      CHECK(watcher::why_not_state_dir(state) == why);
    }
    REQUIRE(::chmod(file.c_str(), 0644) == 0);
    CHECK(watcher::why_not_state_dir(state).empty());
    if (::geteuid() != 0) continue;
    REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
    CHECK(contains(fault_of(watcher::Journal::open(state)).what, file + " belongs to another user (uid 65534)"));
    REQUIRE(::chown(file.c_str(), 0, 0) == 0);
  }
}

TEST_CASE("where no state directory could be made is known before") {
  const Folder folder;
  CHECK(watcher::why_not_state_dir(folder.path + "/a/b").empty());
  CHECK_FALSE(std::filesystem::exists(folder.path + "/a"));
  CHECK(contains(watcher::why_not_state_dir("/proc/x"), "/proc is the kernel's"));
  std::ofstream(folder.path + "/file").close();
  CHECK(contains(watcher::why_not_state_dir(folder.path + "/file"), "/file is no folder"));
  CHECK(contains(watcher::why_not_state_dir(folder.path + "/file/x"), "/file is no folder"));
  REQUIRE(std::filesystem::create_directory(folder.path + "/rollbackd.db"));
  CHECK(watcher::why_not_state_dir(folder.path) == folder.path + "/rollbackd.db is no file; move it away");
}
