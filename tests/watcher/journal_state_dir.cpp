#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "journal_support.hpp"
#include "somebody_else.hpp"

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
