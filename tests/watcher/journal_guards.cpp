#include <algorithm>
#include <functional>
#include <vector>

#include "journal_support.hpp"
#include "watcher/journal/guards.hpp"

// What a kill leaves of the state directory is copied, damaged in every way that is listed here, and opened: what was
// decided must be there whole, or nothing may be done until a person says so.

using namespace journal_support;

namespace {

namespace fs = std::filesystem;

rules::LedgerRecord switched_away(const std::string& name) {
  auto record = revision(name, 2, rules::Standing::suspect);
  record.switches_away = 1;
  return record;
}

rules::FuseRecord use(double seconds) {
  rules::FuseRecord record;
  record.service = rules::ServiceName("web");
  record.at = at(seconds);
  record.use = rules::FuseUse::switched;
  record.from = rules::Revision("v2");
  record.incident = rules::IncidentId("1-web");
  return record;
}

rules::IncidentRecord closed(rules::IncidentRecord record, double seconds) {
  record.closed = at(seconds);
  record.outcome = rules::Outcome::recovered;
  record.phase = rules::IncidentPhase::closed;
  return record;
}

rules::StepRecord ended_step(double seconds) {
  auto record = step("1-web", 0, 4);
  record.ended = at(seconds);
  record.status = rules::StepStatus::succeeded;
  return record;
}

// The life of a switch, in commits as the watcher makes them.
using Commits = std::vector<std::vector<rules::Record>>;
Commits before_the_switch() {
  return {{revision("v1", 1, rules::Standing::good)}, {revision("v2", 2, rules::Standing::candidate)}};
}
Commits in_the_switch() {
  Commits commits = before_the_switch();
  commits.push_back({incident("1-web", 3)});
  commits.push_back({step("1-web", 0, 4), use(4), switched_away("v2")});
  return commits;
}
Commits after_the_switch() {
  Commits commits = in_the_switch();
  commits.push_back({ended_step(5)});
  commits.push_back({closed(incident("1-web", 3), 6)});
  return commits;
}

// Commits, and leaves what a kill -9 leaves then. `older` gets what was there before the last two commits.
void live(const Commits& commits, const std::string& killed, const std::string& older) {
  const Folder folder;
  const auto journal = open(folder.path);
  for (std::size_t i = 0; i < commits.size(); ++i) {
    if (i + 2 == commits.size()) fs::copy(folder.path, older, fs::copy_options::recursive);
    REQUIRE_FALSE(journal->save(commits[i]));
  }
  fs::copy(folder.path, killed, fs::copy_options::recursive);
  // 16 MiB of which nothing is read: a new one is made at the start.
  for (const std::string& copy : {killed, older}) fs::remove(copy + "/reserve");
}

// What keeps from acting twice, as a start finds it.
std::string guarded(const rules::DurableState& durable) {
  return watcher::Guards(watcher::Decisions(), durable).text();
}

struct Damaging {
  const char* name;
  // Of a file of the directory, whose older copy is in the other one. false: it cannot be done to this file.
  std::function<bool(const std::string& file, const std::string& older)> damage;
};

bool change(const std::string& file, double where, const std::function<char(char)>& to, std::size_t most) {
  const auto size = fs::exists(file) ? fs::file_size(file) : 0;
  if (size == 0) return false;
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  const auto place = static_cast<std::size_t>(where * static_cast<double>(size - 1));
  std::string bytes(std::min<std::size_t>(most, size - place), '\0');
  stream.seekg(static_cast<std::streamoff>(place));
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::transform(bytes.begin(), bytes.end(), bytes.begin(), to);
  stream.seekp(static_cast<std::streamoff>(place));
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return true;
}

std::vector<Damaging> damagings() {
  std::vector<Damaging> out;
  for (const double where : {0.0, 0.3, 0.5, 0.9, 0.99}) {
    out.push_back({"flip", [where](const std::string& file, const std::string&) {
                     return change(
                         file, where, [](char c) { return static_cast<char>(~c); }, 8);
                   }});
    out.push_back({"zero", [where](const std::string& file, const std::string&) {
                     return change(
                         file, where, [](char) { return '\0'; }, 512);
                   }});
    out.push_back({"truncate", [where](const std::string& file, const std::string&) {
                     if (!fs::exists(file)) return false;
                     fs::resize_file(file,
                                     static_cast<std::uintmax_t>(where * static_cast<double>(fs::file_size(file))));
                     return true;
                   }});
  }
  out.push_back({"zero all", [](const std::string& file, const std::string&) {
                   return change(
                       file, 0, [](char) { return '\0'; }, std::string::npos);
                 }});
  out.push_back({"delete", [](const std::string& file, const std::string&) { return fs::remove(file); }});
  out.push_back({"swap", [](const std::string& file, const std::string& older) {
                   fs::remove(file);
                   return fs::exists(older) && fs::copy_file(older, file);
                 }});
  return out;
}

}  // namespace

TEST_CASE("whatever of the state directory is damaged after a kill, what was decided is there or nothing is done") {
  std::size_t noticed = 0;
  for (const Commits& commits : {before_the_switch(), in_the_switch(), after_the_switch()}) {
    const Folder kept;
    live(commits, kept.path + "/killed", kept.path + "/older");
    fs::copy(kept.path + "/killed", kept.path + "/whole", fs::copy_options::recursive);
    const std::string whole = guarded(open(kept.path + "/whole")->found().durable);
    for (const char* file : {"rollbackd.db", "rollbackd.db-wal", "rollbackd.db-shm", "guards", "lock"}) {
      for (const Damaging& damaging : damagings()) {
        CAPTURE(commits.size());
        CAPTURE(file);
        CAPTURE(damaging.name);
        const Folder folder;
        fs::copy(kept.path + "/killed", folder.path + "/state", fs::copy_options::recursive);
        if (!damaging.damage(folder.path + "/state/" + file, kept.path + "/older/" + file)) continue;
        const auto journal = open(folder.path + "/state");
        const bool same = guarded(journal->found().durable) == whole;
        CHECK((same || journal->observe_only()));
        if (journal->observe_only()) ++noticed;
        if (journal->observe_only()) CHECK_FALSE(journal->found().observe_only_why.empty());
      }
    }
  }
  CHECK(noticed > 50);
}

TEST_CASE("a -wal whose end was lost is damage though SQLite says ok, and the fuse and the quarantine count on") {
  for (const bool is_removed : {false, true}) {
    CAPTURE(is_removed);
    const Folder kept;
    live(in_the_switch(), kept.path + "/killed", kept.path + "/older");
    const std::string state = kept.path + "/killed";
    // As if nothing had been moved out of the -wal yet: the database of before, and the newest of the -wal gone.
    fs::copy_file(kept.path + "/older/rollbackd.db", state + "/rollbackd.db", fs::copy_options::overwrite_existing);
    if (is_removed)
      fs::remove(state + "/rollbackd.db-wal");
    else
      fs::copy_file(kept.path + "/older/rollbackd.db-wal", state + "/rollbackd.db-wal",
                    fs::copy_options::overwrite_existing);
    fs::remove(state + "/rollbackd.db-shm");
    const auto journal = open(state);
    CHECK(journal->found().set_aside);
    CHECK(journal->observe_only());
    // Without a -wal not even the tables were in the database.
    const std::string why = is_removed ? "missing" : "of 4 decisions that were saved the last 2 are missing";
    CHECK(contains(journal->found().set_aside_why, why));
    CHECK(contains(journal->found().observe_only_why, "1-web of web"));
    const rules::DurableState& durable = journal->found().durable;
    REQUIRE(durable.fuse.size() == 1);
    CHECK(durable.fuse[0].use == rules::FuseUse::switched);
    REQUIRE(durable.ledger.size() == 1);
    CHECK(durable.ledger[0].standing == rules::Standing::suspect);
    CHECK(durable.ledger[0].switches_away == 1);
    // Its plan cannot go on: nobody knows how far it was.
    CHECK(durable.incidents.empty());
    const auto ended = journal->incident(rules::IncidentId("1-web"));
    REQUIRE(ended);
    CHECK(ended->outcome == rules::Outcome::action_failed);
    CHECK(contains(ended->outcome_detail, "journal was damaged"));
  }
}

TEST_CASE("what was begun anew after a damage is whole at the next start, and still only observed") {
  const Folder kept;
  live(in_the_switch(), kept.path + "/killed", kept.path + "/older");
  const std::string state = kept.path + "/killed";
  fs::remove(state + "/rollbackd.db");
  CHECK(open(state)->found().set_aside);
  const auto again = open(state);
  CHECK_FALSE(again->found().set_aside);
  CHECK(again->observe_only());
  CHECK(contains(again->found().observe_only_why, "1-web of web"));
  CHECK_FALSE(again->save({revision("v3", 9, rules::Standing::candidate)}));
  CHECK_FALSE(again->accept_state());
}

TEST_CASE("a kill between a commit and its second copy is no damage") {
  const Folder kept;
  live(in_the_switch(), kept.path + "/killed", kept.path + "/older");
  Commits one_less = in_the_switch();
  one_less.pop_back();
  const Folder before;
  live(one_less, before.path + "/killed", before.path + "/older");
  fs::copy_file(before.path + "/killed/guards", kept.path + "/killed/guards", fs::copy_options::overwrite_existing);
  const auto journal = open(kept.path + "/killed");
  CHECK_FALSE(journal->found().set_aside);
  CHECK(journal->found().durable.fuse.size() == 1);
}

TEST_CASE("a journal of a version without a second copy is taken as it is, and has one from then on") {
  const Folder folder;
  {
    const auto journal = open(folder.path);
    REQUIRE_FALSE(journal->save(in_the_switch().back()));
  }
  fs::remove(folder.path + "/guards");
  execute(folder.path + "/rollbackd.db", "DELETE FROM moments WHERE name LIKE 'decisions%'");
  {
    const auto journal = open(folder.path);
    CHECK_FALSE(journal->observe_only());
    CHECK(journal->found().durable.fuse.size() == 1);
    CHECK(fs::exists(folder.path + "/guards"));
  }
  fs::remove(folder.path + "/rollbackd.db");
  CHECK(open(folder.path)->found().durable.fuse.size() == 1);
}

TEST_CASE("damage while the watcher runs is noticed when it says that it is alive") {
  const std::pair<const char*, std::function<void(const std::string&)>> damages[] = {
      {"a page is overwritten",
       [](const std::string& database) {
         std::fstream file(database, std::ios::in | std::ios::out | std::ios::binary);
         file.seekp(4096);
         file << std::string(std::size_t{8} * 4096, '\x7f');
       }},
      {"the fuse is emptied", [](const std::string& database) { execute(database, "DELETE FROM fuse"); }},
      {"an open incident is another",
       [](const std::string& database) {
         execute(database, "UPDATE incidents SET record = replace(record, '1-web', '2-web')");
       }},
      {"it was put back to what it was",
       [](const std::string& database) {
         execute(database, "UPDATE moments SET at_ns = at_ns - 1 WHERE name = 'decisions'");
       }},
  };
  for (const auto& one : damages) {
    const std::string what = one.first;
    CAPTURE(what);
    const Folder folder;
    const auto journal = open(folder.path);
    for (const auto& commit : in_the_switch()) REQUIRE_FALSE(journal->save(commit));
    CHECK_FALSE(journal->alive(at(7)));
    one.second(folder.path + "/rollbackd.db");
    CHECK_FALSE(journal->alive(at(8)));
    CHECK(contains(journal->take_damage(), "damaged"));
    CHECK(journal->observe_only());
    // What the second copy holds counts on, also after a kill.
    const Folder killed;
    fs::copy(folder.path, killed.path + "/state", fs::copy_options::recursive);
    const auto next = open(killed.path + "/state");
    CHECK_FALSE(next->found().set_aside);
    CHECK(next->found().durable.fuse.size() == 1);
    CHECK(next->observe_only());
    CHECK_FALSE(journal->save({revision("v3", 9, rules::Standing::candidate)}));
  }
}

TEST_CASE("nearly nothing lives in the -wal once a step has ended") {
  const Folder folder;
  const auto journal = open(folder.path);
  for (const auto& commit : in_the_switch()) REQUIRE_FALSE(journal->save(commit));
  REQUIRE_FALSE(journal->save({ended_step(5)}));
  const Folder other;
  fs::copy_file(folder.path + "/rollbackd.db", other.path + "/rollbackd.db");
  auto reader = watcher::Journal::open_read_only(other.path);
  REQUIRE(std::holds_alternative<std::unique_ptr<watcher::Journal>>(reader));
  CHECK(std::get<std::unique_ptr<watcher::Journal>>(reader)->found().durable.steps.size() == 1);
}

TEST_CASE("a second copy that cannot be written is told when the watcher says that it is alive, and tried again") {
  const Folder folder;
  const auto journal = open(folder.path);
  // Nobody, not even root, can write into a folder as into a file.
  fs::create_directories(folder.path + "/guards.tmp/in the way");
  CHECK_FALSE(journal->save({use(4)}));
  const auto fault = journal->alive(at(5));
  REQUIRE(fault);
  CHECK(contains(fault->what, "guards"));
  fs::remove_all(folder.path + "/guards.tmp");
  CHECK_FALSE(journal->alive(at(6)));
  CHECK(fs::exists(folder.path + "/guards"));
}

TEST_CASE("the second copy is read as it was written, and not at all when a byte of it is another") {
  rules::DurableState durable;
  durable.fuse = {use(4)};
  durable.incidents = {incident("1-web", 3)};
  durable.ledger = {switched_away("v2"), revision("v1", 1, rules::Standing::good)};
  const watcher::Guards guards(watcher::Decisions{7, 1, 2}, durable);
  const std::string text = guards.text();
  const auto read = watcher::Guards::read(text);
  REQUIRE(read);
  CHECK(read->text() == text);
  CHECK(read->decisions() == watcher::Decisions{7, 1, 2});
  CHECK(read->why_not_of(guards).empty());
  CHECK_FALSE(contains(text, "v1\""));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 1);
    CHECK_FALSE(watcher::Guards::read(other));
    CHECK_FALSE(watcher::Guards::read(text.substr(0, i)));
  }
}
