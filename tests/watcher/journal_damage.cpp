#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "journal_support.hpp"
#include "watcher/journal/database.hpp"

using namespace journal_support;

namespace {

void write_file(const std::string& path, const std::string& content) { std::ofstream(path) << content; }

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A file system of its own of that many bytes; `usable` is false where mounting is not permitted.
struct SmallDisk {
  Folder folder;
  bool usable = false;
  explicit SmallDisk(const std::string& size) {
    usable = ::mount("tmpfs", folder.path.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    if (!usable) MESSAGE("mounting a tmpfs is not permitted here: not tested");
  }
  ~SmallDisk() {
    if (usable) ::umount2(folder.path.c_str(), MNT_DETACH);
  }
  // Leaves room for less than a page.
  void fill() const {
    const int file = ::open((folder.path + "/filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    REQUIRE(file >= 0);
    const std::string page(4096, 'x');
    while (::write(file, page.data(), page.size()) > 0) {
    }
    ::close(file);
  }
};

rules::IncidentRecord large_incident(const std::string& id) {
  auto record = incident(id, 1);
  record.reason = std::string(200 * 1024, 'x');
  return record;
}

}  // namespace

TEST_CASE(
    "a file that is no database is set aside with its -wal, a new one is begun, and only observed until accepted") {
  const Folder folder;
  write_file(folder.path + "/rollbackd.db", std::string(8192, 'z'));
  write_file(folder.path + "/rollbackd.db-wal", "old");
  {
    const auto journal = open(folder.path);
    CHECK(journal->found().set_aside);
    CHECK(journal->found().set_aside_as == folder.path + "/rollbackd.db.damaged-1");
    CHECK_FALSE(journal->found().set_aside_why.empty());
    CHECK(journal->observe_only());
    CHECK(read_file(folder.path + "/rollbackd.db.damaged-1") == std::string(8192, 'z'));
    CHECK(read_file(folder.path + "/rollbackd.db.damaged-1-wal") == "old");
    CHECK_FALSE(journal->save({incident("1", 1)}));
  }
  const auto journal = open(folder.path);
  CHECK_FALSE(journal->found().set_aside);
  CHECK(journal->found().observe_only);
  CHECK(journal->found().durable.incidents.size() == 1);
  CHECK(journal->observe_only());
  CHECK_FALSE(journal->accept_state());
  CHECK_FALSE(journal->observe_only());
}

TEST_CASE("a second damage is set aside beside the first") {
  const Folder folder;
  for (const char* name : {"/rollbackd.db.damaged-1", "/rollbackd.db.damaged-2"}) {
    write_file(folder.path + "/rollbackd.db", "this is not a database at all, whatever its name says");
    CHECK(open(folder.path)->found().set_aside_as == folder.path + name);
  }
}

TEST_CASE("a database that has vanished beside what an earlier run left is damage") {
  for (const bool emptied : {true, false}) {
    CAPTURE(emptied);
    const Folder folder;
    const std::string database = folder.path + "/rollbackd.db";
    CHECK_FALSE(open(folder.path)->save({revision("v1", 1, rules::Standing::good)}));
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(database + suffix);
    if (emptied) write_file(database, "");
    {
      const auto journal = open(folder.path);
      CHECK(journal->found().set_aside);
      CHECK(contains(journal->found().set_aside_why, emptied ? "it is empty" : "it is missing"));
      CHECK(contains(journal->found().set_aside_why, "reserve"));
      CHECK(journal->observe_only());
      CHECK(std::filesystem::exists(database + ".damaged-1") == emptied);
      CHECK_FALSE(journal->save({incident("1", 1)}));
    }
    // What was begun anew is no damage, and what is not accepted stays so.
    const auto again = open(folder.path);
    CHECK_FALSE(again->found().set_aside);
    CHECK(again->found().observe_only);
    CHECK_FALSE(again->accept_state());
  }
}

TEST_CASE("each trace of an earlier run tells of a database that has vanished") {
  for (const char* trace : {"samples", "incidents"}) {
    CAPTURE(trace);
    const Folder folder;
    std::filesystem::create_directory(folder.path + "/" + trace);
    CHECK(contains(open(folder.path)->found().set_aside_why, trace));
  }
}

TEST_CASE("an empty state directory, or one with a lock and a spool alone, is a first start") {
  const Folder folder;
  write_file(folder.path + "/lock", "1\n");
  std::filesystem::create_directory(folder.path + "/spool");
  const auto journal = open(folder.path);
  CHECK_FALSE(journal->found().set_aside);
  CHECK_FALSE(journal->observe_only());
}

TEST_CASE("a page that was overwritten is found at the start and the database set aside") {
  const Folder folder;
  {
    const auto journal = open(folder.path);
    std::vector<rules::Record> records;
    for (int i = 0; i < 50; ++i) records.push_back(large_incident(std::to_string(i)));
    CHECK_FALSE(journal->save(records));
  }
  {
    std::fstream file(folder.path + "/rollbackd.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(32768, '\x7f');
  }
  const auto journal = open(folder.path);
  CHECK(journal->found().set_aside);
  CHECK(journal->observe_only());
  // What was open is known from the second copy, and is over.
  CHECK(journal->found().durable.incidents.empty());
  CHECK(journal->incidents(100).size() == 50);
}

TEST_CASE("a record that cannot be read is damage") {
  const Folder folder;
  CHECK_FALSE(open(folder.path)->save({incident("1", 1)}));
  execute(folder.path + "/rollbackd.db", "UPDATE incidents SET record = '{\"opened\":\"yesterday\"}'");
  const auto journal = open(folder.path);
  CHECK(journal->found().set_aside);
  CHECK(contains(journal->found().set_aside_why, "yesterday"));
}

TEST_CASE("a database of a newer version is refused by name and left as it was") {
  const Folder folder;
  open(folder.path).reset();
  execute(folder.path + "/rollbackd.db", "PRAGMA user_version=7");
  const auto fault = fault_of(watcher::Journal::open(folder.path));
  CHECK(contains(fault.what, "is of version 7, this rollbackd knows up to 1"));
  CHECK(contains(fault_of(watcher::Journal::open_read_only(folder.path)).what, "version 7"));
  CHECK_FALSE(std::filesystem::exists(folder.path + "/rollbackd.db.damaged-1"));
  CHECK_FALSE(std::filesystem::exists(folder.path + "/observe-only"));
}

TEST_CASE("another program's database is refused and left as it was") {
  const Folder folder;
  execute(folder.path + "/rollbackd.db", "CREATE TABLE theirs (a); PRAGMA application_id=42");
  const std::string before = read_file(folder.path + "/rollbackd.db");
  CHECK(contains(fault_of(watcher::Journal::open(folder.path)).what, "another program (application_id 42)"));
  CHECK(read_file(folder.path + "/rollbackd.db") == before);
}

TEST_CASE("an older version is migrated after a backup beside it") {
  const Folder folder;
  const std::string path = folder.path + "/rollbackd.db";
  CHECK_FALSE(open(folder.path)->save({incident("1", 1)}));
  auto next = watcher::journal_schema();
  next.version = 3;
  next.migrations = {"ALTER TABLE incidents ADD COLUMN added TEXT NOT NULL DEFAULT 'here'",
                     "CREATE TABLE later (a TEXT) STRICT"};
  {
    const auto opened = watcher::Database::open(path, next);
    REQUIRE(std::holds_alternative<watcher::Database>(opened));
    auto query =
        std::get<watcher::Database>(opened).prepare("SELECT added, (SELECT count(*) FROM later) FROM incidents");
    REQUIRE(query.next_row());
    CHECK(query.text(0) == "here");
  }
  CHECK(std::holds_alternative<watcher::JournalFault>(watcher::Database::open(path, watcher::journal_schema())));
  std::filesystem::rename(path + ".v1.backup", path);
  CHECK(open(folder.path)->incidents(10).size() == 1);
}

TEST_CASE("a migration that fails leaves the old version") {
  const Folder folder;
  CHECK_FALSE(open(folder.path)->save({incident("1", 1)}));
  auto next = watcher::journal_schema();
  next.version = 2;
  next.migrations = {"DELETE FROM incidents; ALTER TABLE nothing ADD COLUMN a"};
  const auto opened = watcher::Database::open(folder.path + "/rollbackd.db", next);
  REQUIRE(std::holds_alternative<watcher::JournalFault>(opened));
  CHECK(contains(std::get<watcher::JournalFault>(opened).what, "from version 1 to 2"));
  CHECK(open(folder.path)->incidents(10).size() == 1);
}

TEST_CASE("a full disk takes the reserve for intents, then says that it is full, and recovers when there is room") {
  const SmallDisk disk("40m");
  if (!disk.usable) return;
  const std::string state = disk.folder.path + "/state";
  const auto journal = open(state);
  CHECK(journal->reserve_held());
  CHECK_FALSE(journal->save({incident("before", 1)}));
  disk.fill();
  CHECK_FALSE(journal->save({large_incident("intent")}));
  CHECK_FALSE(journal->reserve_held());
  CHECK(journal->keep_reserve());
  disk.fill();
  std::optional<watcher::JournalFault> fault;
  for (int i = 0; i < 100 && !fault; ++i) fault = journal->save({large_incident(std::to_string(i))});
  REQUIRE(fault);
  CHECK(fault->full);
  CHECK(contains(fault->what, "full"));
  CHECK(journal->incident(rules::IncidentId("intent")));
  std::filesystem::remove(disk.folder.path + "/filler");
  CHECK_FALSE(journal->save({large_incident("after")}));
  CHECK_FALSE(journal->keep_reserve());
  CHECK(journal->reserve_held());
}

TEST_CASE("a start on a full disk says so") {
  const SmallDisk disk("1m");
  if (!disk.usable) return;
  disk.fill();
  const auto fault = fault_of(watcher::Journal::open(disk.folder.path + "/state"));
  CHECK(fault.full);
}

TEST_CASE("a disk with no room for the reserve still starts, without it") {
  const SmallDisk disk("8m");
  if (!disk.usable) return;
  const auto journal = open(disk.folder.path + "/state");
  CHECK_FALSE(journal->reserve_held());
  const auto fault = journal->keep_reserve();
  REQUIRE(fault);
  CHECK(fault->full);
  CHECK_FALSE(journal->save({incident("1", 1)}));
}

TEST_CASE("a read-only file system says so at the start, and while running, and can still be read") {
  const SmallDisk disk("40m");
  if (!disk.usable) return;
  const std::string state = disk.folder.path + "/state";
  CHECK_FALSE(open(state)->save({incident("1", 1)}));
  REQUIRE(::mount("", disk.folder.path.c_str(), "", MS_REMOUNT | MS_RDONLY, "") == 0);
  const auto fault = fault_of(watcher::Journal::open(state));
  CHECK(fault.full);
  CHECK(contains(fault.what, "Read-only file system"));
  auto reader = watcher::Journal::open_read_only(state);
  REQUIRE(std::holds_alternative<std::unique_ptr<watcher::Journal>>(reader));
  CHECK(std::get<std::unique_ptr<watcher::Journal>>(reader)->incidents(10).size() == 1);
}

TEST_CASE("whatever was acknowledged before a kill -9 is there afterwards, and every transaction is whole") {
  std::mt19937 random(20261121);
  for (int round = 0; round < 12; ++round) {
    const Folder folder;
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto opened = watcher::Journal::open(folder.path);
      const auto* journal = std::get_if<std::unique_ptr<watcher::Journal>>(&opened);
      for (int i = 0; journal != nullptr; ++i) {
        const std::string id = std::to_string(100000 + i);
        if ((*journal)->save({incident(id, i), step(id, 0, i), step(id, 1, i)})) ::_exit(1);
        if (::write(pipe_ends[1], &i, sizeof i) != sizeof i) ::_exit(1);
      }
      ::_exit(1);
    }
    ::close(pipe_ends[1]);
    const int until = std::uniform_int_distribution<int>(0, 60)(random);
    int acknowledged = -1;
    while (acknowledged < until && ::read(pipe_ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    ::usleep(std::uniform_int_distribution<useconds_t>(0, 1500)(random));
    REQUIRE(::kill(child, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    while (::read(pipe_ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    ::close(pipe_ends[0]);
    CAPTURE(round);
    CAPTURE(acknowledged);
    const auto journal = open(folder.path);
    CHECK_FALSE(journal->found().set_aside);
    const auto& durable = journal->found().durable;
    CHECK(static_cast<int>(durable.incidents.size()) >= acknowledged + 1);
    CHECK(durable.steps.size() == 2 * durable.incidents.size());
  }
}

TEST_CASE("a journal that a version without times and later checks wrote is read, and goes on as one of this version") {
  const Folder folder;
  auto old_one = incident("1-open", 5);
  {
    const auto journal = open(folder.path);
    rules::ServiceRecord service;
    service.service = rules::ServiceName("web");
    auto deployed = revision("r2", 1, rules::Standing::candidate);
    deployed.deploy_began = at(1);
    CHECK_FALSE(journal->save({service, deployed, old_one}));
  }
  execute(folder.path + "/rollbackd.db",
          "UPDATE ledger SET record = json_remove(record, '$.deploy_began', '$.deploy_ended');"
          "UPDATE services SET record = json_remove(record, '$.later');"
          "UPDATE incidents SET record = json_remove(record, '$.times', '$.later');");
  const auto journal = open(folder.path);
  CHECK_FALSE(journal->found().set_aside);
  const rules::DurableState& durable = journal->found().durable;
  REQUIRE(durable.ledger.size() == 1);
  CHECK(durable.ledger[0].standing == rules::Standing::candidate);
  CHECK_FALSE(durable.ledger[0].deploy_began);
  REQUIRE(durable.incidents.size() == 1);
  CHECK_FALSE(durable.incidents[0].times.counted_until);
  auto deployed = durable.ledger[0];
  deployed.deploy_began = at(20);
  CHECK_FALSE(journal->save({deployed}));
  REQUIRE(journal->ledger().size() == 1);
  CHECK(journal->ledger()[0].deploy_began == at(20));
}
