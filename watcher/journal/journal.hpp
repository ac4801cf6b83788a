#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/engine/commands.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// A message to be delivered, in the outbox until it is or is given up.
struct OutboxEntry {
  std::int64_t id = 0;
  rules::NotifierName notifier;
  rules::Tell tell;
  int attempts = 0;              // failed so far
  rules::Instant due;            // next attempt
  bool only_while_open = false;  // dropped when its incident is closed by the time that it is due
  // Who joins later hears what is so then: this takes the place of what waits for the same moment.
  bool replaces = false;
  bool is_told = true;  // false: it only takes back what waits
};

struct AtWork;

struct JournalFault {
  std::string what;   // what was attempted, on what, what happened, what to do
  bool full = false;  // no room, read-only or not permitted: asks instead of acting
};

// What opening found.
struct JournalState {
  rules::DurableState durable;
  bool set_aside = false;  // a damaged database was moved away; observe until accept-state
  std::string set_aside_as;
  std::string set_aside_why;
  bool observe_only = false;     // the same, or it was at an earlier start and has not been accepted yet
  std::string observe_only_why;  // for people: why, and which incidents were open
};

// Of one incident, by one notifier.
struct Heard {
  std::optional<rules::Tell> newest{};  // nothing: he heard nothing
  bool waits = false;                   // what he is told when he joins is still to come
};

// The durable record, in SQLite (WAL, synchronous=FULL) under the state directory. All calls block for a commit:
// not to be made on the event loop. Safe to use from one thread at a time.
class Journal {
 public:
  using Opened = std::variant<std::unique_ptr<Journal>, JournalFault>;

  // Takes the state directory's lock; fails when another watcher has it, when the directory cannot be written, when
  // the database is of another version than can be migrated.
  // Makes the directory (0700) and the 16 MiB reserve when there is none. A damaged database is set aside and found()
  // says so; that the reserve could not be made is no fault, see reserve_held().
  static Opened open(const std::string& state_dir);
  // Without the lock and read-only, for commands that run while no watcher does or beside it.
  static Opened open_read_only(const std::string& state_dir);
  virtual ~Journal() = default;

  virtual const JournalState& found() const = 0;
  // Writes all in one transaction, durable on return. A fault leaves nothing of it written.
  virtual std::optional<JournalFault> save(const std::vector<rules::Record>& records) = 0;

  // The same with the messages that tell of it, so that a crash loses neither.
  virtual std::optional<JournalFault> save(const std::vector<rules::Record>& records,
                                           const std::vector<OutboxEntry>& messages) = 0;

  // "The watcher was alive at `now`": what DurableState::last_alive says at the next start. save() says it too, by the
  // newest time in its records. Also looks whether state_dir, the database and its second copy still are what was
  // saved: what is not is set aside and begun anew with everything that is known, see take_damage(). To be called every
  // minute.
  virtual std::optional<JournalFault> alive(rules::Instant now) = 0;
  // What was lost or damaged since we opened it and was begun anew since the last call, for people; empty: nothing.
  // Nothing may be done from then on until accept_state(), which later starts are told as well.
  virtual std::string take_damage() = 0;
  // Why the host's copy of what guards against acting twice could not be written at the last alive(), for people;
  // empty: it was, or there is none.
  virtual std::string host_copy_trouble() = 0;

  virtual std::optional<JournalFault> enqueue(const std::vector<OutboxEntry>& entries) = 0;
  // What is to be delivered by `now`, oldest first: of each notifier and incident only the oldest that waits, so that
  // order is kept. Entries that are only for open incidents and whose incident is closed are given up on the way.
  virtual std::vector<OutboxEntry> due(rules::Instant now, std::size_t most) = 0;
  // The same, but of each notifier only the oldest.
  virtual std::vector<OutboxEntry> due_by_notifier(rules::Instant now) = 0;
  virtual std::optional<rules::Instant> next_due() = 0;
  // After a fault of these the entry is still due: it is delivered again rather than never.
  virtual std::optional<JournalFault> delivered(std::int64_t id) = 0;
  virtual std::optional<JournalFault> postpone(std::int64_t id, rules::Instant due, const std::string& error) = 0;
  virtual std::optional<JournalFault> give_up(std::int64_t id, const std::string& error) = 0;
  // What this notifier has heard, or is about to hear, of this incident.
  virtual Heard heard(const rules::NotifierName& notifier, const rules::IncidentId& id) = 0;

  // Newest first.
  virtual std::vector<rules::IncidentRecord> incidents(std::size_t most) = 0;
  virtual std::optional<rules::IncidentRecord> incident(const rules::IncidentId& id) = 0;
  virtual std::vector<rules::StepRecord> steps(const rules::IncidentId& id) = 0;
  virtual std::vector<rules::LedgerRecord> ledger() = 0;
  // Why the latest of the reading calls (due to ledger) came back empty, when that was a fault.
  virtual std::optional<JournalFault> take_read_fault() = 0;

  // Whether STATE/reserve is there. When a save meets a full disk the reserve is given up so that intents can still be
  // written; from then on the watcher is to ask instead of acting.
  virtual bool reserve_held() = 0;
  // Makes the reserve again when there is room for it and as much besides. To be called every minute or so.
  virtual std::optional<JournalFault> keep_reserve() = 0;

  // `accept-state`: what was set aside is accepted as lost.
  virtual std::optional<JournalFault> accept_state() = 0;
  // Is the observe-only mark of a set-aside database in force (survives restarts until accept_state)?
  virtual bool observe_only() = 0;
};

// The host's lock for mutating actions, shared with `deploy begin` and with every other watcher of this host:
// a flock on the file that host_lock_place() says. Held until destroyed, or until the process ends in whatever way; but
// what a killed holder has left at work keeps everybody out until it has ended.
class HostLock {
 public:
  // nullptr when somebody else has it, what somebody left is at work, or it cannot be opened; `holder` then says who or
  // why, for people. `state_dir`: where it is where there is no other place, see host_lock_place().
  static std::unique_ptr<HostLock> try_take(const std::string& purpose, const std::string& state_dir,
                                            std::string& holder);
  virtual ~HostLock() = default;
  // Writes down what is being done under the lock, in place of what was before.
  virtual void note(const AtWork& at_work) = 0;
};

}  // namespace watcher
