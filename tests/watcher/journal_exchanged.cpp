#include <sys/stat.h>

#include <functional>

#include "journal_support.hpp"

// What somebody, or a disk, does to the files of a journal while it is in use: everything is in memory or in files that
// have lost their names, so that nothing needs to be lost.

using namespace journal_support;

namespace {

namespace fs = std::filesystem;

void put(const std::string& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

void flip_byte(const std::string& file, std::streamoff place) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(place);
  stream << '~';
}

// The file is another one with the same content.
void replace(const std::string& file) {
  fs::copy_file(file, file + ".copy");
  fs::rename(file + ".copy", file);
}

struct Doing {
  const char* name;
  const char* told;  // a part of what people hear
  std::function<void(const std::string& state)> act;
};

std::vector<Doing> doings() {
  return {
      {"the database is gone", "rollbackd.db was removed", [](const auto& s) { fs::remove(s + "/rollbackd.db"); }},
      {"the database is another", "rollbackd.db was removed or replaced",
       [](const auto& s) { replace(s + "/rollbackd.db"); }},
      {"the database is a folder", "rollbackd.db was removed or replaced",
       [](const auto& s) {
         fs::remove(s + "/rollbackd.db");
         fs::create_directory(s + "/rollbackd.db");
       }},
      {"the -wal is gone", "rollbackd.db-wal was removed", [](const auto& s) { fs::remove(s + "/rollbackd.db-wal"); }},
      {"the -wal is another", "rollbackd.db-wal was removed or replaced",
       [](const auto& s) { replace(s + "/rollbackd.db-wal"); }},
      {"the -shm is gone", "rollbackd.db-shm was removed", [](const auto& s) { fs::remove(s + "/rollbackd.db-shm"); }},
      {"the second copy is gone", "guards was removed", [](const auto& s) { fs::remove(s + "/guards"); }},
      {"the second copy is empty", "guards was removed or changed", [](const auto& s) { put(s + "/guards", ""); }},
      {"a byte of the second copy is another", "guards was removed or changed",
       [](const auto& s) { flip_byte(s + "/guards", 25); }},
      {"all is gone but the lock", "was removed",
       [](const auto& s) {
         for (const char* file : {"/rollbackd.db", "/rollbackd.db-wal", "/rollbackd.db-shm", "/guards"})
           fs::remove(s + file);
       }},
  };
}

std::vector<std::string> names(const std::vector<rules::LedgerRecord>& ledger) {
  std::vector<std::string> out;
  for (const auto& record : ledger) out.push_back(record.revision.text);
  return out;
}

}  // namespace

TEST_CASE("what is done to a journal in use is noticed at the minute's look, and nothing of it is lost at a kill") {
  for (const Doing& doing : doings()) {
    const std::string what = doing.name;
    CAPTURE(what);
    const Folder folder;
    const std::string state = folder.path + "/state";
    const auto journal = open(state);
    REQUIRE_FALSE(journal->save({revision("v1", 1, rules::Standing::good), revision("v2", 2, rules::Standing::bad)}));
    REQUIRE_FALSE(journal->save({incident("1-web", 3), step("1-web", 0, 4)}));
    CHECK_FALSE(journal->alive(at(5)));
    CHECK(journal->take_damage().empty());
    doing.act(state);
    CHECK_FALSE(journal->alive(at(6)));
    CHECK(contains(journal->take_damage(), doing.told));
    CHECK(journal->take_damage() == "");
    CHECK_FALSE(journal->alive(at(7)));
    CHECK(journal->take_damage() == "");
    REQUIRE_FALSE(journal->save({revision("v3", 8, rules::Standing::candidate)}));

    const std::string killed = folder.path + "/killed";
    fs::copy(state, killed, fs::copy_options::recursive);
    const auto next = open(killed);
    CHECK_FALSE(next->found().set_aside);
    CHECK(next->found().observe_only);
    CHECK(contains(next->found().observe_only_why, doing.told));
    CHECK(names(next->found().durable.ledger) == std::vector<std::string>{"v1", "v2", "v3"});
    CHECK(next->found().durable.incidents.size() == 1);
    CHECK(next->found().durable.steps.size() == 1);
    CHECK_FALSE(next->accept_state());
    CHECK_FALSE(next->observe_only());
  }
}

TEST_CASE("a decision that meets an exchanged database goes into a new one, with all that was decided before") {
  const Folder folder;
  const auto journal = open(folder.path);
  REQUIRE_FALSE(journal->save({revision("v1", 1, rules::Standing::good)}));
  put(folder.path + "/older", "of another time");
  fs::rename(folder.path + "/older", folder.path + "/rollbackd.db");
  CHECK_FALSE(journal->save({revision("v2", 2, rules::Standing::candidate)}));
  CHECK(names(journal->ledger()) == std::vector<std::string>{"v1", "v2"});
  CHECK(journal->observe_only());
  CHECK(contains(journal->take_damage(), "rollbackd.db was removed or replaced"));
  CHECK(fs::file_size(folder.path + "/rollbackd.db.damaged-1") == std::string("of another time").size());
}

TEST_CASE("a second copy that is gone is missed by the next decision already") {
  const Folder folder;
  const auto journal = open(folder.path);
  REQUIRE_FALSE(journal->save({revision("v1", 1, rules::Standing::good)}));
  fs::remove(folder.path + "/guards");
  CHECK_FALSE(journal->save({revision("v2", 2, rules::Standing::candidate)}));
  CHECK(fs::exists(folder.path + "/guards"));
  CHECK(journal->observe_only());
  CHECK(contains(journal->take_damage(), "second copy"));
}

TEST_CASE("a state directory that becomes open to others while it is in use is told for as long as it is") {
  const Folder folder;
  const std::string state = folder.path + "/state";
  const auto journal = open(state);
  CHECK_FALSE(journal->alive(at(1)));
  REQUIRE(::chmod(state.c_str(), 0770) == 0);
  const auto fault = journal->alive(at(2));
  REQUIRE(fault);
  CHECK(contains(fault->what, "can be written by other users; chmod go-w"));
  REQUIRE(::chmod(state.c_str(), 0700) == 0);
  CHECK_FALSE(journal->alive(at(3)));
  CHECK(journal->take_damage().empty());
}
