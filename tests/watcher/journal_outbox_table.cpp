#include "journal_support.hpp"
#include "watcher/journal/sqlite_journal.hpp"

using namespace journal_support;

namespace {

watcher::OutboxEntry message(const std::string& notifier, const std::string& incident, const std::string& title,
                             double due) {
  watcher::OutboxEntry entry;
  entry.notifier = rules::NotifierName(notifier);
  entry.tell.context.incident = rules::IncidentId(incident);
  entry.tell.title = title;
  entry.due = at(due);
  return entry;
}

std::vector<std::string> titles(const std::vector<watcher::OutboxEntry>& entries) {
  std::vector<std::string> result;
  for (const auto& entry : entries) result.push_back(entry.tell.title);
  return result;
}

}  // namespace

TEST_CASE("messages of one incident to one notifier are due one after the other") {
  const Folder folder;
  const auto journal = open(folder.path);
  CHECK_FALSE(journal->enqueue({message("team", "1", "a", 10), message("team", "1", "b", 0),
                                message("boss", "1", "c", 0), message("team", "2", "d", 0)}));
  CHECK(titles(journal->due(at(5), 10)) == std::vector<std::string>{"c", "d"});
  const auto later = journal->due(at(10), 10);
  CHECK(titles(later) == std::vector<std::string>{"a", "c", "d"});
  CHECK_FALSE(journal->delivered(later[0].id));
  CHECK(titles(journal->due(at(10), 10)) == std::vector<std::string>{"b", "c", "d"});
  CHECK(titles(journal->due(at(10), 2)) == std::vector<std::string>{"b", "c"});
}

TEST_CASE("a message that was postponed is due again at its time, with its attempts, and after a restart") {
  const Folder folder;
  {
    const auto journal = open(folder.path);
    CHECK_FALSE(journal->enqueue({message("team", "1", "a", 0), message("team", "1", "b", 0)}));
    CHECK_FALSE(journal->postpone(journal->due(at(0), 10)[0].id, at(30), "no answer"));
    CHECK(journal->due(at(29), 10).empty());
    CHECK(journal->next_due() == at(30));
  }
  const auto journal = open(folder.path);
  const auto due = journal->due(at(30), 10);
  REQUIRE(due.size() == 1);
  CHECK(due[0].attempts == 1);
  CHECK_FALSE(journal->give_up(due[0].id, "gone"));
  CHECK(titles(journal->due(at(30), 10)) == std::vector<std::string>{"b"});
}

TEST_CASE("an escalation is dropped when its incident is closed by the time that it is due") {
  const Folder folder;
  const auto journal = open(folder.path);
  auto closed = incident("1", 0);
  closed.closed = at(60);
  CHECK_FALSE(journal->save({closed, incident("2", 0)}));
  auto first = message("boss", "1", "closed meanwhile", 300);
  auto second = message("boss", "2", "still open", 300);
  first.only_while_open = second.only_while_open = true;
  CHECK_FALSE(journal->enqueue({first, second}));
  CHECK(journal->due(at(299), 10).empty());
  CHECK(titles(journal->due(at(300), 10)) == std::vector<std::string>{"still open"});
}

TEST_CASE("what comes later is not held up by what is told only to who joins late") {
  const Folder folder;
  const auto journal = open(folder.path);
  CHECK_FALSE(journal->save({incident("1", 0)}));
  auto joins = message("boss", "1", "joins", 300);
  joins.only_while_open = true;
  CHECK_FALSE(journal->enqueue({joins, message("boss", "1", "step", 10)}));
  CHECK(journal->next_due() == at(10));
  CHECK(titles(journal->due(at(10), 10)) == std::vector<std::string>{"step"});
  CHECK(titles(journal->due_by_notifier(at(10))) == std::vector<std::string>{"step"});
  CHECK_FALSE(journal->delivered(journal->due(at(10), 10)[0].id));
  // Once it is due it is the first, also while it is tried again.
  CHECK_FALSE(journal->enqueue({message("boss", "1", "completed", 301)}));
  CHECK(titles(journal->due(at(301), 10)) == std::vector<std::string>{"joins"});
  CHECK_FALSE(journal->postpone(journal->due(at(301), 10)[0].id, at(320), "no answer"));
  CHECK(journal->due(at(310), 10).empty());
}

TEST_CASE("nothing is due when nothing waits") {
  const Folder folder;
  const auto journal = open(folder.path);
  CHECK_FALSE(journal->next_due());
  CHECK(journal->due(at(1e6), 10).empty());
  CHECK_FALSE(journal->take_read_fault());
}

TEST_CASE("the outbox is bounded: progress is given up first, then the oldest") {
  const Folder folder;
  const auto journal = open(folder.path);
  std::vector<watcher::OutboxEntry> entries;
  for (int i = 0; i < watcher::outbox_waiting_max; ++i) {
    auto entry = message("team", std::to_string(i), "asked " + std::to_string(i), 0);
    entry.tell.stage = rules::Stage::ask;
    entries.push_back(entry);
  }
  entries.push_back(message("team", "late", "progress", 0));
  auto newest = message("team", "newest", "newest", 0);
  newest.tell.stage = rules::Stage::failed;
  entries.push_back(newest);
  CHECK_FALSE(journal->enqueue(entries));
  const auto due = titles(journal->due(at(0), 100000));
  CHECK(due.size() == watcher::outbox_waiting_max);
  CHECK(due.front() == "asked 1");
  CHECK(due.back() == "newest");
}

TEST_CASE("the newest message about an incident is known, and what only who joins late would hear is none yet") {
  const Folder folder;
  const auto journal = open(folder.path);
  const auto heard = [&](const char* who) { return journal->heard(rules::NotifierName(who), rules::IncidentId("1")); };
  CHECK_FALSE(heard("team").newest);
  CHECK_FALSE(journal->enqueue({message("team", "1", "a", 0), message("boss", "1", "b", 0)}));
  CHECK_FALSE(journal->delivered(journal->due(at(0), 1)[0].id));
  REQUIRE(heard("team").newest);
  CHECK(heard("team").newest->title == "a");
  CHECK_FALSE(heard("team").waits);
  auto later = message("late", "1", "c", 60);
  later.only_while_open = true;
  CHECK_FALSE(journal->enqueue({later}));
  CHECK_FALSE(heard("late").newest);
  CHECK(heard("late").waits);
  const auto due = journal->due(at(60), 9);
  CHECK_FALSE(journal->give_up(due.back().id, "all goes well by itself"));
  CHECK_FALSE(heard("late").newest);
  CHECK_FALSE(heard("late").waits);
}
