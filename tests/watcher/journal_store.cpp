#include <sys/stat.h>

#include <set>

#include "journal_support.hpp"
#include "watcher/journal/sqlite_journal.hpp"

using namespace journal_support;

TEST_CASE("a journal begins empty in a private directory that it makes") {
  const Folder folder;
  const std::string state = folder.path + "/a/state";
  const auto journal = open(state);
  CHECK(journal->found().durable.ledger.empty());
  CHECK_FALSE(journal->found().durable.last_alive);
  CHECK_FALSE(journal->found().set_aside);
  CHECK_FALSE(journal->observe_only());
  struct stat status {};
  REQUIRE(::stat(state.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  for (const char* file : {"/rollbackd.db", "/rollbackd.db-wal", "/reserve", "/lock"}) {
    CAPTURE(file);
    REQUIRE(::stat((state + file).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("spans that are not written again hold until the newest save that follows upon the one before") {
  const Folder folder;
  const auto good = [](const char* rule, int saved_at) {
    rules::SpanRecord span;
    span.rule = rules::RuleName(rule);
    span.segments = {{at(1), at(saved_at + 3), rules::Verdict::good, 0}};
    span.saved_at = at(saved_at);
    return span;
  };
  // What the next start finds of the rule after this save.
  const auto saved_at = [&](const char* rule,
                            const std::vector<rules::Record>& records) -> std::optional<rules::Instant> {
    {
      const auto journal = open(folder.path);
      REQUIRE_FALSE(journal->save(records));
    }
    const auto journal = open(folder.path);
    for (const rules::SpanRecord& span : journal->found().durable.spans) {
      if (span.rule.text == rule) return span.saved_at;
    }
    return std::nullopt;
  };
  using Held = rules::SpansHeld;
  CHECK(saved_at("slow", {Held{at(5), {}, at(5)}, good("slow", 5), good("down", 5)}) == at(5));
  CHECK(saved_at("slow", {Held{at(5), at(5), at(10)}}) == at(10));
  CHECK(saved_at("slow", {Held{at(5), at(10), at(15)}, good("down", 15)}) == at(15));
  CHECK(saved_at("slow", {Held{at(5), at(20), at(25)}}) == at(15));  // that of 20 was lost
  CHECK(saved_at("slow", {Held{at(6), at(15), at(25)}}) == at(15));  // of another beginning
  CHECK(saved_at("slow", {Held{at(30), {}, at(30)}, good("down", 30)}) == std::nullopt);
  CHECK(saved_at("down", {Held{at(30), at(30), at(35)}}) == at(35));
}

TEST_CASE("what was saved is found at the next start: open incidents with their steps, not the closed ones") {
  const Folder folder;
  auto open_one = incident("2-open", 10);
  auto closed = incident("1-closed", 5);
  closed.closed = at(8);
  closed.outcome = rules::Outcome::recovered;
  {
    const auto journal = open(folder.path);
    rules::ServiceRecord service;
    service.service = rules::ServiceName("web");
    service.running = rules::Revision("r2");
    service.next_rung["slow"] = 1;
    rules::FuseRecord fuse{
        .service = service.service, .at = at(9), .from = rules::Revision("r1"), .incident = rules::IncidentId()};
    rules::SpanRecord span;
    span.rule = rules::RuleName("slow");
    span.saved_at = at(12);
    CHECK_FALSE(journal->save({revision("r1", 1, rules::Standing::good), service, fuse, span, open_one, closed,
                               step("2-open", 0, 11), step("1-closed", 0, 6)}));
  }
  const auto journal = open(folder.path);
  const rules::DurableState& durable = journal->found().durable;
  REQUIRE(durable.incidents.size() == 1);
  CHECK(durable.incidents[0].id == open_one.id);
  CHECK(std::set(durable.incident_ids.begin(), durable.incident_ids.end()) == std::set{open_one.id, closed.id});
  REQUIRE(durable.steps.size() == 1);
  CHECK(durable.steps[0].id.incident == open_one.id);
  REQUIRE(durable.ledger.size() == 1);
  CHECK(durable.ledger[0].standing == rules::Standing::good);
  REQUIRE(durable.services.size() == 1);
  CHECK(durable.services[0].next_rung.at("slow") == 1);
  CHECK(durable.fuse.size() == 1);
  CHECK(durable.spans.size() == 1);
  CHECK(durable.last_alive == at(12));
  const auto incidents = journal->incidents(10);
  REQUIRE(incidents.size() == 2);
  CHECK(incidents[0].id == open_one.id);
  CHECK(journal->incidents(1).size() == 1);
  REQUIRE(journal->incident(closed.id));
  CHECK(journal->incident(closed.id)->outcome == rules::Outcome::recovered);
  CHECK_FALSE(journal->incident(rules::IncidentId("none")));
  CHECK(journal->steps(closed.id).size() == 1);
  CHECK_FALSE(journal->take_read_fault());
}

TEST_CASE("a closed incident of which something is still to be looked at is found at the next start") {
  const Folder folder;
  auto closed = incident("1-closed", 5);
  closed.closed = at(8);
  closed.outcome = rules::Outcome::recovered;
  closed.phase = rules::IncidentPhase::closed;
  closed.later.resize(1);
  closed.later[0].text = "remove the flag";
  rules::ServiceRecord service;
  service.service = rules::ServiceName("web");
  service.later = {closed.id, rules::IncidentId("pruned")};
  CHECK_FALSE(open(folder.path)->save({service, closed, incident("2-open", 10)}));
  const auto journal = open(folder.path);
  const rules::DurableState& durable = journal->found().durable;
  CHECK(durable.incidents.size() == 1);
  REQUIRE(durable.ended.size() == 1);
  CHECK(durable.ended[0].later[0].text == "remove the flag");
}

TEST_CASE("saving a record again replaces it by its key") {
  const Folder folder;
  const auto journal = open(folder.path);
  auto record = incident("1", 1);
  CHECK_FALSE(journal->save({record}));
  record.phase = rules::IncidentPhase::acting;
  auto first = step("1", 0, 2);
  CHECK_FALSE(journal->save({record, first}));
  first.status = rules::StepStatus::succeeded;
  auto second_attempt = first;
  second_attempt.id.attempt = 1;
  CHECK_FALSE(journal->save({first, second_attempt}));
  CHECK(journal->incidents(10).size() == 1);
  CHECK(journal->incidents(10)[0].phase == rules::IncidentPhase::acting);
  const auto steps = journal->steps(record.id);
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].status == rules::StepStatus::succeeded);
}

TEST_CASE("last_alive is the newest of what was saved and what was said") {
  const Folder folder;
  {
    const auto journal = open(folder.path);
    CHECK_FALSE(journal->alive(at(100)));
    CHECK_FALSE(journal->save({revision("r1", 50, rules::Standing::good)}));
  }
  CHECK(open(folder.path)->found().durable.last_alive == at(100));
}

TEST_CASE("a second watcher on the same state directory is refused and told the first one's pid") {
  const Folder folder;
  const auto first = open(folder.path);
  const auto fault = fault_of(watcher::Journal::open(folder.path));
  CHECK(contains(fault.what, "held by another watcher (pid " + std::to_string(::getpid()) + ")"));
  CHECK_FALSE(fault.full);
}

TEST_CASE("a journal whose folder was removed or moved takes nothing more, says so, and goes on when it is back") {
  const Folder folder;
  const std::string state = folder.path + "/state";
  const auto journal = open(state);
  CHECK_FALSE(journal->alive(at(100)));
  std::filesystem::rename(state, folder.path + "/aside");
  SUBCASE("nothing is in its place") {}
  SUBCASE("another folder is in its place") {
    std::filesystem::copy(folder.path + "/aside", state, std::filesystem::copy_options::recursive);
  }
  for (const bool is_look : {false, true}) {
    const auto fault = is_look ? journal->alive(at(101)) : journal->save({revision("r1", 50, rules::Standing::good)});
    REQUIRE(fault.has_value());
    CHECK(contains(fault->what, "it was moved, removed or replaced while the watcher runs"));
    CHECK_FALSE(fault->full);
  }
  std::filesystem::remove_all(state);
  std::filesystem::rename(folder.path + "/aside", state);
  CHECK_FALSE(journal->alive(at(102)));
  CHECK(journal->take_damage().empty());
}

TEST_CASE("the lock goes with the journal") {
  const Folder folder;
  open(folder.path).reset();
  CHECK(open(folder.path) != nullptr);
}

TEST_CASE("a reader beside a watcher sees what was saved and writes nothing") {
  const Folder folder;
  const auto journal = open(folder.path);
  CHECK_FALSE(journal->save({incident("1", 1)}));
  auto opened = watcher::Journal::open_read_only(folder.path);
  REQUIRE(std::holds_alternative<std::unique_ptr<watcher::Journal>>(opened));
  const auto& reader = std::get<std::unique_ptr<watcher::Journal>>(opened);
  CHECK(reader->incidents(10).size() == 1);
  CHECK(reader->save({incident("2", 2)}));
  CHECK_FALSE(journal->save({incident("3", 3)}));
  CHECK(reader->incidents(10).size() == 2);
}

TEST_CASE("reading a journal that is not there says so") {
  const Folder folder;
  CHECK(contains(fault_of(watcher::Journal::open_read_only(folder.path)).what, "there is none"));
}

TEST_CASE("the fuse's records are kept for a day, and the newest reset however old it is") {
  const Folder folder;
  {
    const auto journal = open(folder.path);
    const double hour = 3600;
    const auto used = [](double seconds, rules::FuseUse use) {
      return rules::FuseRecord{.service = rules::ServiceName("web"),
                               .at = at(seconds),
                               .use = use,
                               .from = rules::Revision(),
                               .incident = rules::IncidentId()};
    };
    CHECK_FALSE(journal->save({used(0, rules::FuseUse::reset), used(1, rules::FuseUse::switched),
                               used(2, rules::FuseUse::reset), used(2 * hour, rules::FuseUse::switched)}));
    CHECK_FALSE(journal->save({used(25 * hour, rules::FuseUse::mutated)}));
  }
  const auto fuse = open(folder.path)->found().durable.fuse;
  REQUIRE(fuse.size() == 3);
  CHECK(fuse[0].use == rules::FuseUse::reset);
  CHECK(fuse[0].at == at(2));
  CHECK(fuse[1].use == rules::FuseUse::switched);
  CHECK(fuse[2].use == rules::FuseUse::mutated);
}

TEST_CASE("the ledger forgets the oldest revisions but neither the good ones that are targets nor quarantined ones") {
  const Folder folder;
  const auto journal = open(folder.path);
  std::vector<rules::Record> records;
  for (int i = 0; i < 20; ++i) records.push_back(revision("good-" + std::to_string(i), i, rules::Standing::good));
  records.push_back(revision("quarantined", 30, rules::Standing::bad));
  for (int i = 0; i < watcher::ledger_revisions_max; ++i)
    records.push_back(revision("suspect-" + std::to_string(i), 100 + i, rules::Standing::suspect));
  CHECK_FALSE(journal->save(records));
  const auto ledger = journal->ledger();
  const auto has = [&](const std::string& name) {
    return std::any_of(ledger.begin(), ledger.end(), [&](const auto& r) { return r.revision.text == name; });
  };
  CHECK(ledger.size() == watcher::ledger_revisions_max + watcher::ledger_good_min + 1);
  CHECK_FALSE(has("good-9"));
  CHECK(has("good-10"));
  CHECK(has("quarantined"));
  CHECK(has("suspect-0"));
}

TEST_CASE("closed incidents are pruned with their steps, open ones never") {
  const Folder folder;
  const auto journal = open(folder.path);
  std::vector<rules::Record> records{incident("0-open", 0)};
  for (int i = 0; i < watcher::closed_incidents_max + 1; ++i) {
    auto record = incident(std::to_string(100000 + i), 1 + i);
    record.closed = record.opened;
    records.push_back(step(record.id.text, 0, 1 + i));
    records.push_back(record);
  }
  CHECK_FALSE(journal->save(records));
  CHECK(journal->incidents(10000).size() == watcher::closed_incidents_max + 1);
  CHECK(journal->incident(rules::IncidentId("0-open")));
  CHECK_FALSE(journal->incident(rules::IncidentId("100000")));
  CHECK(journal->steps(rules::IncidentId("100000")).empty());
  CHECK(journal->steps(rules::IncidentId("100001")).size() == 1);
}

TEST_CASE("a long output keeps its begin and its end, and what is left out is counted") {
  const Folder folder;
  const auto journal = open(folder.path);
  auto record = step("1", 0, 1);
  record.output = "begin" + std::string(1024 * 1024, 'x') + "end";
  record.output_dropped = 7;
  CHECK_FALSE(journal->save({incident("1", 1), record}));
  const auto steps = journal->steps(record.id.incident);
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].output.size() < watcher::step_output_max + 100);
  CHECK(steps[0].output.substr(0, 5) == "begin");
  CHECK(steps[0].output.substr(steps[0].output.size() - 3) == "end");
  CHECK(steps[0].output_dropped == 7 + 1024 * 1024 + 8 - static_cast<std::int64_t>(watcher::step_output_max));
}

TEST_CASE("the host's lock is one for all and says who holds it") {
  const Folder folder;
  ::setenv("ROLLBACKD_HOST_LOCK", (folder.path + "/host.lock").c_str(), 1);
  std::string holder;
  auto first = watcher::HostLock::try_take("switch web", "", holder);
  REQUIRE(first);
  CHECK(watcher::HostLock::try_take("deploy web", "", holder) == nullptr);
  CHECK(contains(holder, "pid " + std::to_string(::getpid())));
  CHECK(contains(holder, "switch web"));
  first.reset();
  CHECK(watcher::HostLock::try_take("deploy web", "", holder) != nullptr);
  ::setenv("ROLLBACKD_HOST_LOCK", (folder.path + "/missing/host.lock").c_str(), 1);
  CHECK(watcher::HostLock::try_take("deploy web", "", holder) == nullptr);
  CHECK(contains(holder, "No such file or directory"));
  ::unsetenv("ROLLBACKD_HOST_LOCK");
}
