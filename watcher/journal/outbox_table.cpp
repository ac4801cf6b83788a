#include "watcher/journal/codec.hpp"
#include "watcher/journal/sqlite_journal.hpp"

namespace watcher {

namespace {

// The oldest that waits of each notifier and incident: the others wait behind it. Messages about no incident in
// particular do not wait for each other, and nothing waits behind what somebody who joins late is told only then: a
// notify step names him before.
const char* const heads =
    " FROM outbox AS entry WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM outbox AS before WHERE before.state = "
    "'waiting' AND before.notifier = entry.notifier AND before.incident = entry.incident AND before.id < entry.id "
    "AND NOT (before.only_while_open = 1 AND before.attempts = 0 AND before.due_ns > entry.due_ns) "
    "AND entry.incident <> '')";

std::string select_columns() { return "SELECT id, notifier, due_ns, attempts, only_while_open, record"; }

}  // namespace

bool OutboxTable::take_back(const OutboxEntry& entry) const {
  return database_
      .prepare(
          "DELETE FROM outbox WHERE state = 'waiting' AND only_while_open = 1 AND notifier = ? AND incident = ? AND "
          "due_ns = ?")
      .bind(entry.notifier.text)
      .bind(entry.tell.context.incident.text)
      .bind(nanoseconds(entry.due))
      .run();
}

bool OutboxTable::enqueue(const OutboxEntry& entry) const {
  if (entry.replaces && !take_back(entry)) return false;
  if (!entry.is_told) return true;
  return database_
      .prepare(
          "INSERT INTO outbox (notifier, incident, stage, state, due_ns, attempts, only_while_open, record) "
          "VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?)")
      .bind(entry.notifier.text)
      .bind(entry.tell.context.incident.text)
      .bind(enumerator_name(entry.tell.stage))
      .bind(nanoseconds(entry.due))
      .bind(std::int64_t{entry.attempts})
      .bind(std::int64_t{entry.only_while_open})
      .bind(encode(entry.tell))
      .run();
}

bool OutboxTable::give_up_surplus() const {
  return database_
             .prepare(
                 "UPDATE outbox SET state = 'given_up', error = 'too many messages wait' WHERE id IN (SELECT id "
                 "FROM outbox WHERE state = 'waiting' ORDER BY stage = 'progress', id DESC LIMIT -1 OFFSET ?)")
             .bind(outbox_waiting_max)
             .run() &&
         database_
             .prepare(
                 "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state <> 'waiting' ORDER BY id DESC "
                 "LIMIT -1 OFFSET ?)")
             .bind(outbox_ended_max)
             .run();
}

bool OutboxTable::give_up_closed(rules::Instant now) const {
  return database_
      .prepare(
          "UPDATE outbox SET state = 'given_up', error = 'closed before it was due' WHERE state = 'waiting' AND "
          "only_while_open = 1 AND due_ns <= ? AND incident IN (SELECT id FROM incidents WHERE closed_ns IS NOT NULL)")
      .bind(nanoseconds(now))
      .run();
}

bool OutboxTable::give_up_held() const {
  return database_
      .prepare("DELETE FROM outbox WHERE state = 'waiting' AND only_while_open = 1 AND attempts = 0 AND incident = ''")
      .run();
}

std::optional<std::vector<OutboxEntry>> OutboxTable::due(rules::Instant now, std::size_t most) const {
  auto query = database_.prepare(select_columns() + heads + " AND due_ns <= ? ORDER BY id LIMIT ?");
  return entries(query.bind(nanoseconds(now)).bind(static_cast<std::int64_t>(most)));
}

std::optional<std::vector<OutboxEntry>> OutboxTable::due_by_notifier(rules::Instant now) const {
  auto query = database_.prepare(select_columns() + std::string(" FROM outbox WHERE id IN (SELECT min(id)") + heads +
                                 " AND due_ns <= ? GROUP BY notifier) ORDER BY id");
  return entries(query.bind(nanoseconds(now)));
}

Statement OutboxTable::next_due() const {
  // Entries that wait behind another are later than it, whatever their time.
  return database_.prepare(std::string("SELECT min(due_ns)") + heads);
}

std::optional<std::vector<OutboxEntry>> OutboxTable::entries(Statement& query) const {
  std::vector<OutboxEntry> found;
  while (query.next_row()) {
    auto tell = decode<rules::Tell>(query.text(5));
    if (!tell) {
      tell.emplace();
      tell->title = "a message of the journal that cannot be read";
    }
    found.push_back({.id = query.integer(0),
                     .notifier = rules::NotifierName(query.text(1)),
                     .tell = std::move(*tell),
                     .attempts = static_cast<int>(query.integer(3)),
                     .due = from_nanoseconds(query.integer(2)),
                     .only_while_open = query.integer(4) != 0});
  }
  if (query.failed()) return std::nullopt;
  return found;
}

bool OutboxTable::end(std::int64_t id, const std::string& state, const std::string& error) const {
  return database_.prepare("UPDATE outbox SET state = ?, error = ? WHERE id = ?")
      .bind(state)
      .bind(error)
      .bind(id)
      .run();
}

bool OutboxTable::postpone(std::int64_t id, rules::Instant due, const std::string& error) const {
  return database_.prepare("UPDATE outbox SET due_ns = ?, error = ?, attempts = attempts + 1 WHERE id = ?")
      .bind(nanoseconds(due))
      .bind(error)
      .bind(id)
      .run();
}

}  // namespace watcher
