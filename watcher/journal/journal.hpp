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
  int attempts = 0;
  rules::Instant due;                 // next attempt
};

struct JournalFault {
  std::string what;                   // what was attempted, on what, what happened, what to do
  bool full = false;                  // ENOSPC or read-only: asks instead of acting
};

// What opening found.
struct JournalState {
  rules::DurableState durable;
  bool set_aside = false;             // a damaged database was moved away; observe until accept-state
  std::string set_aside_as;
};

// The durable record, in SQLite (WAL, synchronous=FULL) under the state directory. All calls block for a commit:
// not to be made on the event loop. Safe to use from one thread at a time.
class Journal {
 public:
  // Takes the state directory's lock; fails when another watcher has it, when the directory cannot be written, when
  // the database is of another version than can be migrated.
  static std::variant<std::unique_ptr<Journal>, JournalFault> open(const std::string& state_dir);
  // Without the lock and read-only, for commands that run while no watcher does or beside it.
  static std::variant<std::unique_ptr<Journal>, JournalFault> open_read_only(const std::string& state_dir);
  virtual ~Journal() = default;

  virtual const JournalState& found() const = 0;
  // Writes all in one transaction, durable on return. A fault leaves nothing of it written.
  virtual std::optional<JournalFault> save(const std::vector<rules::Record>& records) = 0;

  virtual std::optional<JournalFault> enqueue(const std::vector<OutboxEntry>& entries) = 0;
  virtual std::vector<OutboxEntry> due(rules::Instant now, std::size_t most) = 0;
  virtual std::optional<rules::Instant> next_due() = 0;
  virtual void delivered(std::int64_t id) = 0;
  virtual void postpone(std::int64_t id, rules::Instant due, const std::string& error) = 0;
  virtual void give_up(std::int64_t id, const std::string& error) = 0;

  // Newest first.
  virtual std::vector<rules::IncidentRecord> incidents(std::size_t most) = 0;
  virtual std::optional<rules::IncidentRecord> incident(const rules::IncidentId& id) = 0;
  virtual std::vector<rules::StepRecord> steps(const rules::IncidentId& id) = 0;
  virtual std::vector<rules::LedgerRecord> ledger() = 0;

  // `accept-state`: what was set aside is accepted as lost.
  virtual void accept_state() = 0;
  // Is the observe-only mark of a set-aside database in force (survives restarts until accept_state)?
  virtual bool observe_only() = 0;
};

// The host's lock for mutating actions, shared with `deploy begin` and with every other watcher of this host.
class HostLock {
 public:
  // nullptr when somebody else has it; `holder` then says who, for people.
  static std::unique_ptr<HostLock> try_take(const std::string& purpose, std::string& holder);
  virtual ~HostLock() = default;
};

}  // namespace watcher
