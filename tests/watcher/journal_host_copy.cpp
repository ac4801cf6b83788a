#include <sys/stat.h>

#include <cstdlib>

#include "journal_support.hpp"
#include "watcher/journal/host_copy.hpp"

// What lies beside the host's lock tells a start of what was decided in a state directory that is gone, or older.

using namespace journal_support;

namespace {

namespace fs = std::filesystem;

struct Host {
  Folder folder;
  std::string state = folder.path + "/disk/state";
  std::string copy = folder.path + "/host-copy";

  Host() { fs::create_directory(folder.path + "/disk"); }

  std::unique_ptr<watcher::Journal> open() const {
    auto opened = watcher::open_beside(state, copy);
    if (auto* fault = std::get_if<watcher::JournalFault>(&opened)) FAIL(fault->what);
    return std::move(std::get<std::unique_ptr<watcher::Journal>>(opened));
  }
  // What a life decided that was killed in a switch.
  void live() const {
    const auto journal = open();
    REQUIRE_FALSE(journal->save({revision("v1", 1, rules::Standing::good)}));
    REQUIRE_FALSE(journal->save({revision("v2", 2, rules::Standing::bad)}));
    REQUIRE_FALSE(journal->save({incident("1-web", 3)}));
    REQUIRE_FALSE(journal->save({step("1-web", 0, 4), use()}));
  }
  static rules::FuseRecord use() {
    rules::FuseRecord record;
    record.service = rules::ServiceName("web");
    record.at = at(4);
    record.use = rules::FuseUse::switched;
    record.from = rules::Revision("v2");
    record.incident = rules::IncidentId("1-web");
    return record;
  }
  void move_away() const { fs::rename(state, state + ".away"); }
};

std::vector<std::string> revisions(const watcher::Journal& journal) {
  std::vector<std::string> out;
  for (const auto& record : journal.found().durable.ledger) out.push_back(record.revision.text);
  return out;
}

// Sets it for the test's time.
struct Named {
  Named(const char* name_, const std::string& value) : name(name_) {
    if (const char* const found = std::getenv(name)) before = found;
    ::setenv(name, value.c_str(), 1);
  }
  ~Named() { before.empty() ? ::unsetenv(name) : ::setenv(name, before.c_str(), 1); }
  const char* name;
  std::string before;
};

}  // namespace

TEST_CASE("a state directory that was moved away or emptied before a kill is missed by the next start") {
  for (const bool is_emptied : {false, true}) {
    CAPTURE(is_emptied);
    const Host host;
    host.live();
    host.move_away();
    if (is_emptied) fs::create_directory(host.state);
    if (is_emptied) fs::permissions(host.state, fs::perms::owner_all);
    const auto journal = host.open();
    CHECK(journal->found().observe_only);
    CHECK(journal->found().set_aside_as == "");
    CHECK(contains(journal->found().observe_only_why, "is gone, though 4 decisions were saved in it"));
    CHECK(contains(journal->found().observe_only_why, "1-web of web"));
    // What guards counts on; a plan that nobody knows the end of is over.
    CHECK(revisions(*journal) == std::vector<std::string>{"v2"});
    CHECK(journal->found().durable.fuse.size() == 1);
    CHECK(journal->found().durable.incidents.empty());
  }
}

TEST_CASE("accepting a lost state directory ends the observing, also over the next start") {
  const Host host;
  host.live();
  host.move_away();
  {
    const auto journal = host.open();
    REQUIRE_FALSE(journal->save({revision("v3", 5, rules::Standing::candidate)}));
    CHECK_FALSE(journal->accept_state());
    CHECK_FALSE(journal->observe_only());
  }
  const auto next = host.open();
  CHECK_FALSE(next->found().observe_only);
  CHECK(revisions(*next) == std::vector<std::string>{"v2", "v3"});
}

TEST_CASE("a state directory that comes back, as with a disk that was not mounted, is whole again") {
  const Host host;
  host.live();
  host.move_away();
  {
    const auto journal = host.open();
    REQUIRE_FALSE(journal->save({revision("v3", 5, rules::Standing::candidate)}));
    CHECK_FALSE(journal->alive(at(6)));
  }
  CHECK(host.open()->found().observe_only);
  fs::remove_all(host.state);
  fs::rename(host.state + ".away", host.state);
  const auto journal = host.open();
  CHECK_FALSE(journal->found().observe_only);
  CHECK(revisions(*journal) == std::vector<std::string>{"v1", "v2"});
  CHECK(journal->found().durable.incidents.size() == 1);
}

TEST_CASE("an older state directory is missed too, and what it holds is kept") {
  const Host host;
  {
    const auto journal = host.open();
    REQUIRE_FALSE(journal->save({revision("v0", 0, rules::Standing::good)}));
    REQUIRE_FALSE(journal->save({incident("0-web", 0)}));
  }
  fs::copy(host.state, host.state + ".older", fs::copy_options::recursive);
  host.live();
  host.move_away();
  fs::rename(host.state + ".older", host.state);
  fs::permissions(host.state, fs::perms::owner_all);
  const auto journal = host.open();
  CHECK(journal->found().observe_only);
  CHECK(contains(journal->found().observe_only_why, "of 6 decisions that were saved the last 4 are missing"));
  CHECK(revisions(*journal) == std::vector<std::string>{"v0", "v2"});
  CHECK(journal->found().durable.incidents.empty());
}

TEST_CASE("a second copy that vanished before a kill loses nothing, and is told") {
  const Host host;
  host.live();
  fs::remove(host.state + "/guards");
  const auto journal = host.open();
  CHECK_FALSE(journal->found().set_aside);
  CHECK(journal->found().observe_only);
  CHECK(contains(journal->found().observe_only_why, "guards is missing"));
  CHECK(revisions(*journal) == std::vector<std::string>{"v1", "v2"});
  CHECK(journal->found().durable.incidents.size() == 1);
  CHECK(fs::exists(host.state + "/guards"));
}

TEST_CASE("without a copy of the host a second copy that vanished costs no ledger, and what was open is over") {
  const Host host;
  host.live();
  fs::remove(host.state + "/guards");
  fs::remove(host.copy);
  const auto journal = host.open();
  CHECK(journal->found().observe_only);
  CHECK(contains(journal->found().observe_only_why, "the newest may be lost"));
  CHECK(revisions(*journal) == std::vector<std::string>{"v1", "v2"});
  CHECK(journal->found().durable.fuse.size() == 1);
  CHECK(journal->found().durable.incidents.empty());
}

TEST_CASE("a copy of the host that is older, torn, gone or another user's decides nothing and is made anew") {
  const Host host;
  { REQUIRE_FALSE(host.open()->save({revision("v1", 1, rules::Standing::good)})); }
  fs::copy_file(host.copy, host.copy + ".older");
  for (const char* state : {"older", "torn", "gone", "open to others", "a link"}) {
    CAPTURE(state);
    const std::string what = state;
    const Host other;
    other.live();
    fs::remove(other.copy);
    if (what == "older") fs::copy_file(host.copy + ".older", other.copy);
    if (what == "torn") std::ofstream(other.copy) << "rollbackd guards 1\ndecisions 99 0000000000000000 00";
    if (what == "open to others" || what == "a link") {
      const Host foreign;
      foreign.live();
      { REQUIRE_FALSE(foreign.open()->save({revision("v3", 5, rules::Standing::good)})); }
      fs::copy_file(foreign.copy, other.copy + ".foreign");
      if (what == "a link") fs::create_symlink(other.copy + ".foreign", other.copy);
      if (what != "a link") fs::rename(other.copy + ".foreign", other.copy);
      if (what != "a link") REQUIRE(::chmod(other.copy.c_str(), 0666) == 0);
    }
    const auto journal = other.open();
    CHECK_FALSE(journal->found().observe_only);
    CHECK(journal->found().durable.incidents.size() == 1);
    const auto made = watcher::read_host_copy(other.copy);
    REQUIRE(made);
    CHECK(made->decisions().count == 4);
    fs::remove(other.copy);
    CHECK_FALSE(journal->alive(at(7)));
    CHECK(fs::exists(other.copy));
  }
}

TEST_CASE("the host's copy lies beside the lock, under a name of its own for each directory of each folder") {
  const Folder folder;
  const std::string state = folder.path + "/state";
  const Named lock("ROLLBACKD_HOST_LOCK", folder.path + "/host.lock");
  const std::string place = watcher::host_copy_place(state);
  CHECK(place.starts_with(folder.path + "/state-"));
  CHECK(watcher::host_copy_place(state + "/") == place);
  CHECK(watcher::host_copy_place(folder.path + "/./state") == place);
  CHECK(watcher::host_copy_place(folder.path + "/other") != place);
  fs::create_directory(state);
  CHECK(watcher::host_copy_place(state) == place);
  const Named within("ROLLBACKD_HOST_LOCK", state + "/host.lock");
  CHECK(watcher::host_copy_place(state) == "");
}

TEST_CASE("that the host's copy cannot be written is known, and that it can be again") {
  const Host host;
  const auto journal = host.open();
  CHECK_FALSE(journal->alive(at(1)));
  CHECK(journal->host_copy_trouble() == "");
  fs::remove(host.copy);
  fs::create_directories(host.copy + "/in the way");
  CHECK_FALSE(journal->alive(at(2)));
  CHECK(contains(journal->host_copy_trouble(), "write " + host.copy + ": "));
  CHECK(contains(journal->host_copy_trouble(), "; make its folder writable"));
  fs::remove_all(host.copy);
  CHECK_FALSE(journal->alive(at(3)));
  CHECK(journal->host_copy_trouble() == "");
}
