#pragma once

#include <optional>
#include <string>
#include <vector>

#include "watcher/journal/database.hpp"
#include "watcher/journal/guards.hpp"
#include "watcher/journal/journal.hpp"
#include "watcher/journal/state_dir.hpp"

namespace watcher {

// How much of the past is kept. What is open, runs or may be a target is never pruned.
inline constexpr std::int64_t closed_incidents_max = 500;             // with their steps; some 300 MB at the very worst
inline constexpr std::int64_t ledger_revisions_max = 250;             // a service: months of several deploys a day
inline constexpr std::int64_t ledger_good_min = 10;                   // a service: targets that are kept however old
inline constexpr rules::Duration fuse_kept = std::chrono::hours(24);  // the longest span that a limit looks at
inline constexpr std::int64_t outbox_ended_max = 1000;                // delivered and given up, for people who ask
inline constexpr std::int64_t outbox_waiting_max = 5000;              // a receiver that is gone for days
inline constexpr std::size_t step_output_max = 64 * 1024;             // bytes in the database; evidence/ has more

// Writes records; every call belongs into the caller's transaction. false: the database's fault says why.
class RecordWriter {
 public:
  explicit RecordWriter(const Database& database) : database_(database) {}
  bool operator()(const rules::LedgerRecord& record) const;
  bool operator()(const rules::ServiceRecord& record) const;
  bool operator()(const rules::FuseRecord& record) const;
  bool operator()(const rules::IncidentRecord& record) const;
  bool operator()(const rules::StepRecord& record) const;
  bool operator()(const rules::SpanRecord& record) const;
  bool operator()(const rules::SpansHeld& held) const;
  bool operator()(const Decisions& decisions) const;
  // That we were alive then, unless it is known of later.
  bool raise_alive(rules::Instant at) const;

 private:
  bool prune_ledger(const rules::ServiceName& service) const;
  bool prune_incidents() const;

  const Database& database_;
};

// The newest time that a record speaks of.
rules::Instant newest_time(const rules::Record& record);

// What a start needs; Damage when a record cannot be read.
std::variant<rules::DurableState, Damage, JournalFault> load(const Database& database);
// Of that what Guards keep, but of the ledger only what is no target.
std::variant<rules::DurableState, Damage, JournalFault> load_guarded(const Database& database);

// How many decisions the database holds; nothing when that cannot be read.
std::optional<Decisions> decisions_of(const Database& database);

// The database's messages.
class OutboxTable {
 public:
  explicit OutboxTable(const Database& database) : database_(database) {}
  bool take_back(const OutboxEntry& entry) const;
  bool enqueue(const OutboxEntry& entry) const;
  bool give_up_surplus() const;
  bool give_up_closed(rules::Instant now) const;
  // Of faults, for whom they had not lasted long enough: what is so at a start is told anew.
  bool give_up_held() const;
  std::optional<std::vector<OutboxEntry>> due(rules::Instant now, std::size_t most) const;
  std::optional<std::vector<OutboxEntry>> due_by_notifier(rules::Instant now) const;
  Statement next_due() const;  // one row: when, or null
  bool end(std::int64_t id, const std::string& state, const std::string& error) const;
  bool postpone(std::int64_t id, rules::Instant due, const std::string& error) const;

 private:
  std::optional<std::vector<OutboxEntry>> entries(Statement& query) const;

  const Database& database_;
};

inline std::int64_t nanoseconds(rules::Instant at) { return at.time_since_epoch().count(); }
inline rules::Instant from_nanoseconds(std::int64_t count) { return rules::Instant(rules::Duration(count)); }

}  // namespace watcher
