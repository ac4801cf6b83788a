#include "watcher/journal/sqlite_journal.hpp"

#include <algorithm>
#include <limits>

#include "watcher/journal/codec.hpp"
#include "watcher/journal/host_copy.hpp"
#include "watcher/journal/state_dir_trust.hpp"
#include "watcher/journal/whole_journal.hpp"

namespace watcher {

namespace {

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(std::optional<StateDir> dir, Database database, JournalState found, Guards guards)
      : dir_(std::move(dir)), database_(std::move(database)), found_(std::move(found)), guards_(std::move(guards)) {}

  const JournalState& found() const override { return found_; }

  std::optional<JournalFault> save(const std::vector<rules::Record>& records) override { return save(records, {}); }

  std::optional<JournalFault> save(const std::vector<rules::Record>& records,
                                   const std::vector<OutboxEntry>& messages) override {
    if (records.empty()) return enqueue(messages);
    rules::Instant newest = rules::Instant::min();
    for (const rules::Record& record : records) newest = std::max(newest, newest_time(record));
    const bool decided = decides(records);
    const Decisions now = guards_.decisions().followed_by(records);
    auto fault = commit("save a decision", [&] {
      const RecordWriter write(database_);
      const auto written = [&](const rules::Record& record) { return std::visit(write, record); };
      return std::all_of(records.begin(), records.end(), written) && write.raise_alive(newest) &&
             put_into_outbox(messages) && (!decided || write(now));
    });
    if (decided && !fault) note_decision(now, records);
    return fault;
  }

  std::optional<JournalFault> alive(rules::Instant now) override {
    auto fault = commit("save that the watcher is alive", [&] {
      return database_.prepare("INSERT OR REPLACE INTO moments VALUES ('alive', ?)").bind(nanoseconds(now)).run();
    });
    if (fault && !database_.damaged()) return fault;
    if (std::string why = why_not_trusted(dir_->path()); !why.empty()) return JournalFault{.what = std::move(why)};
    if (!guards_fault_ && read_whole(dir_->guards()) != guards_.text()) lose_guards();
    if (guards_fault_) keep_guards();
    host_copy_trouble_ = keep_host_copy(*dir_, guards_);
    if (guards_fault_) return guards_fault_;
    if (!fault) move_out_of_wal();
    auto found = find_damage(dir_->database(), guards_);
    if (!found) return fault;
    if (auto* untold = std::get_if<JournalFault>(&*found)) return std::move(*untold);
    return begin_anew("it was damaged while it was in use: " + std::get<Damage>(*found).why);
  }
  std::string take_damage() override { return std::exchange(damage_, std::string()); }
  std::string host_copy_trouble() override { return host_copy_trouble_; }

  std::optional<JournalFault> enqueue(const std::vector<OutboxEntry>& entries) override {
    if (entries.empty()) return std::nullopt;
    return commit("save a message", [&] { return put_into_outbox(entries); });
  }

  std::vector<OutboxEntry> due(rules::Instant now, std::size_t most) override {
    return read_due(now, [&](const OutboxTable& outbox) { return outbox.due(now, most); });
  }
  std::vector<OutboxEntry> due_by_notifier(rules::Instant now) override {
    return read_due(now, [&](const OutboxTable& outbox) { return outbox.due_by_notifier(now); });
  }

  std::optional<rules::Instant> next_due() override {
    auto query = OutboxTable(database_).next_due();
    const bool row = query.next_row();
    note_read(query);
    if (!row || query.is_null(0)) return std::nullopt;
    return from_nanoseconds(query.integer(0));
  }

  std::optional<JournalFault> delivered(std::int64_t id) override {
    return commit("save a delivery", [&] { return OutboxTable(database_).end(id, "delivered", ""); });
  }
  std::optional<JournalFault> postpone(std::int64_t id, rules::Instant due, const std::string& error) override {
    return commit("postpone a message", [&] { return OutboxTable(database_).postpone(id, due, error); });
  }
  std::optional<JournalFault> give_up(std::int64_t id, const std::string& error) override {
    return commit("give up a message", [&] { return OutboxTable(database_).end(id, "given_up", error); });
  }

  Heard heard(const rules::NotifierName& notifier, const rules::IncidentId& id) override {
    Heard out;
    // What was not tried yet, and is told only to who joins late, nobody has heard; it may have been dropped.
    const std::string of_both = " FROM outbox WHERE notifier = ? AND incident = ? AND ";
    const std::string is_for_later = "(only_while_open = 1 AND attempts = 0 AND state <> 'delivered')";
    auto told = database_.prepare("SELECT record" + of_both + "NOT " + is_for_later + " ORDER BY id DESC LIMIT 1");
    auto tells = read<rules::Tell>(told.bind(notifier.text).bind(id.text));
    if (!tells.empty()) out.newest = std::move(tells.front());
    auto waiting = database_.prepare("SELECT 1" + of_both + is_for_later + " AND state = 'waiting' LIMIT 1");
    out.waits = waiting.bind(notifier.text).bind(id.text).next_row();
    return out;
  }

  std::vector<rules::IncidentRecord> incidents(std::size_t most) override {
    auto query = database_.prepare("SELECT record FROM incidents ORDER BY opened_ns DESC, id DESC LIMIT ?");
    const std::size_t limit = std::min<std::size_t>(most, std::numeric_limits<std::int32_t>::max());
    return read<rules::IncidentRecord>(query.bind(static_cast<std::int64_t>(limit)));
  }
  std::optional<rules::IncidentRecord> incident(const rules::IncidentId& id) override {
    auto query = database_.prepare("SELECT record FROM incidents WHERE id = ?");
    auto found = read<rules::IncidentRecord>(query.bind(id.text));
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
  }
  std::vector<rules::StepRecord> steps(const rules::IncidentId& id) override {
    auto query =
        database_.prepare("SELECT record FROM steps WHERE incident = ? ORDER BY started_ns, rung, attempt, rowid");
    return read<rules::StepRecord>(query.bind(id.text));
  }
  std::vector<rules::LedgerRecord> ledger() override {
    auto query = database_.prepare("SELECT record FROM ledger ORDER BY service, appeared_ns, revision");
    return read<rules::LedgerRecord>(query);
  }
  std::optional<JournalFault> take_read_fault() override { return std::exchange(read_fault_, std::nullopt); }

  bool reserve_held() override { return dir_ && dir_->reserve_held(); }
  std::optional<JournalFault> keep_reserve() override {
    if (!dir_) return read_only_fault("make the reserve");
    if (dir_->reserve_held()) return std::nullopt;
    if (dir_->has_room_for_reserve()) return dir_->make_reserve();
    return JournalFault{
        .what = "make the reserve: less than 32 MiB are free; make room on the file system of state_dir", .full = true};
  }

  std::optional<JournalFault> accept_state() override {
    if (!dir_) return read_only_fault("accept the state");
    auto fault = dir_->clear_observe_only();
    keep_host_copy(*dir_, guards_);
    return fault;
  }
  bool observe_only() override { return dir_ && dir_->observe_only(); }

  void give_up_held() const { OutboxTable(database_).give_up_held(); }

  // Writes the second copy, on a full disk in place of the reserve.
  void keep_guards() {
    guards_fault_ = write_guards(*dir_, guards_);
    if (guards_fault_ && guards_fault_->full && dir_->reserve_held()) {
      dir_->release_reserve();
      guards_fault_ = write_guards(*dir_, guards_);
    }
    if (!guards_fault_) dir_->remember_guards();
  }

 private:
  static JournalFault read_only_fault(const std::string& attempt) {
    return {.what = attempt + ": the journal was opened for reading only"};
  }

  JournalFault removed_fault(const std::string& attempt) const {
    return {.what = attempt + " in " + dir_->path() +
                    ": it was moved, removed or replaced while the watcher runs; put it back or restart the watcher"};
  }

  // In a new file, and nothing is done any more until a person accepts it. A fault: it is as it was.
  std::optional<JournalFault> begin_anew(const std::string& what) {
    const std::string why = "the journal was damaged: " + what;
    auto begun = begin_anew_from(*dir_, database_, guards_, why);
    if (auto* fault = std::get_if<JournalFault>(&begun)) return std::move(*fault);
    auto& whole = std::get<WholeJournal>(begun);
    database_ = std::move(whole.database);
    guards_ = std::move(whole.guards);
    dir_->remember_database();
    keep_guards();
    note_damage(why);
    return std::nullopt;
  }

  // The second copy is not what was written; the database is, or that is seen next.
  void lose_guards() {
    const std::string why = "the journal's second copy " + dir_->guards() + " was removed or changed by another";
    guards_fault_ = dir_->mark_observe_only(why);
    if (!guards_fault_) guards_fault_ = dir_->set_guards_aside();
    if (guards_fault_) return;
    note_damage(why);
    keep_guards();
  }
  void note_damage(const std::string& why) { damage_ += (damage_.empty() ? "" : "; ") + why; }

  // Does the work in a transaction of its own. On a full disk once more without the reserve: this is what it is for.
  template <class Work>
  std::optional<JournalFault> commit(const std::string& attempt, Work work) {
    if (!dir_) return read_only_fault(attempt);
    if (!dir_->is_in_place()) return removed_fault(attempt);
    if (const std::string file = dir_->exchanged_file(); !file.empty()) {
      if (auto fault = begin_anew(file + " was removed or replaced while it was in use")) return fault;
    }
    if (!guards_fault_ && dir_->guards_exchanged()) lose_guards();
    auto fault = try_commit(attempt, work);
    if (!fault || !fault->full || !dir_->reserve_held()) return fault;
    dir_->release_reserve();
    return try_commit(attempt, work);
  }
  template <class Work>
  std::optional<JournalFault> try_commit(const std::string& attempt, Work& work) {
    Transaction transaction(database_);
    if (transaction.began() && work() && transaction.commit()) return std::nullopt;
    return database_.fault(attempt + " in " + dir_->database());
  }

  // It is committed, whatever becomes of the second copy: that is tried again, and told, when we say that we are alive.
  void note_decision(const Decisions& now, const std::vector<rules::Record>& records) {
    guards_.decide(now, records);
    keep_guards();
    if (std::any_of(records.begin(), records.end(), ends_something)) move_out_of_wal();
  }
  // What is done next does not wait for it.
  static bool ends_something(const rules::Record& record) {
    if (const auto* step = std::get_if<rules::StepRecord>(&record)) return step->ended.has_value();
    const auto* incident = std::get_if<rules::IncidentRecord>(&record);
    return incident != nullptr && incident->closed;
  }
  // As far as no reader is in the way, so that little is only there.
  void move_out_of_wal() const { database_.execute("PRAGMA wal_checkpoint(PASSIVE)"); }

  bool put_into_outbox(const std::vector<OutboxEntry>& entries) const {
    if (entries.empty()) return true;
    const OutboxTable outbox(database_);
    const auto enqueued = [&](const OutboxEntry& entry) { return outbox.enqueue(entry); };
    return std::all_of(entries.begin(), entries.end(), enqueued) && outbox.give_up_surplus();
  }

  template <class Query>
  std::vector<OutboxEntry> read_due(rules::Instant now, Query query) {
    const OutboxTable outbox(database_);
    read_fault_ = commit("give up messages", [&] { return outbox.give_up_closed(now); });
    auto entries = query(outbox);
    if (!entries) read_fault_ = database_.fault("read the outbox");
    return entries ? std::move(*entries) : std::vector<OutboxEntry>();
  }

  void note_read(const Statement& query) {
    read_fault_ = query.failed() ? std::optional(database_.fault("read the journal")) : std::nullopt;
  }
  template <class T>
  std::vector<T> read(Statement& query) {
    std::vector<T> records;
    std::optional<JournalFault> unreadable;
    while (query.next_row()) {
      if (auto record = decode<T>(query.text(0)))
        records.push_back(std::move(*record));
      else
        unreadable =
            JournalFault{.what = "read the journal: a record cannot be read; restart the watcher to have it set aside"};
    }
    note_read(query);
    if (unreadable && !read_fault_) read_fault_ = unreadable;
    return records;
  }

  // Read-only journals have no directory of their own. The database is closed before the lock is given back.
  std::optional<StateDir> dir_;
  Database database_;
  JournalState found_;
  Guards guards_;
  std::optional<JournalFault> guards_fault_;  // they are not what they should be in their file
  std::optional<JournalFault> read_fault_;
  std::string damage_;  // not taken yet
  std::string host_copy_trouble_;
};

}  // namespace

Journal::Opened Journal::open(const std::string& state_dir) { return open_beside(state_dir, ""); }

Journal::Opened open_beside(const std::string& state_dir, const std::string& host_copy) {
  auto taken = StateDir::take(state_dir, host_copy);
  if (auto* fault = std::get_if<JournalFault>(&taken)) return std::move(*fault);
  auto& dir = std::get<StateDir>(taken);
  auto found = find_whole(dir);
  if (auto* fault = std::get_if<JournalFault>(&found)) return std::move(*fault);
  auto& whole = std::get<WholeJournal>(found);
  dir.remember_database();
  static_cast<void>(dir.make_reserve());  // reserve_held() says whether it is there
  auto journal = std::make_unique<SqliteJournal>(std::move(dir), std::move(whole.database), std::move(whole.found),
                                                 std::move(whole.guards));
  journal->keep_guards();
  journal->give_up_held();
  return journal;
}

Journal::Opened Journal::open_read_only(const std::string& state_dir) {
  auto opened = open_to_read(state_dir + "/rollbackd.db");
  if (auto* fault = std::get_if<JournalFault>(&opened)) return std::move(*fault);
  auto& whole = std::get<WholeJournal>(opened);
  return std::make_unique<SqliteJournal>(std::nullopt, std::move(whole.database), std::move(whole.found), Guards());
}

}  // namespace watcher
