#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "test_folder.hpp"
#include "watcher/journal/journal.hpp"

namespace journal_support {

using Folder = TestFolder;

inline std::unique_ptr<watcher::Journal> open(const std::string& state_dir) {
  auto opened = watcher::Journal::open(state_dir);
  if (auto* fault = std::get_if<watcher::JournalFault>(&opened)) FAIL(fault->what);
  return std::move(std::get<std::unique_ptr<watcher::Journal>>(opened));
}

inline watcher::JournalFault fault_of(std::variant<std::unique_ptr<watcher::Journal>, watcher::JournalFault> opened) {
  REQUIRE(std::holds_alternative<watcher::JournalFault>(opened));
  return std::get<watcher::JournalFault>(opened);
}

// With a connection of its own, as somebody else's tool.
inline void execute(const std::string& database, const std::string& sql) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(database.c_str(), &connection) == SQLITE_OK);
  CHECK(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(connection);
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline rules::Instant at(double seconds) { return rules::from_unix_seconds(1'800'000'000.0 + seconds); }

inline rules::IncidentRecord incident(const std::string& id, double opened) {
  rules::IncidentRecord record;
  record.id = rules::IncidentId(id);
  record.service = rules::ServiceName("web");
  record.opened = at(opened);
  record.phase_since = at(opened);
  return record;
}

inline rules::LedgerRecord revision(const std::string& name, double seen, rules::Standing standing) {
  rules::LedgerRecord record;
  record.service = rules::ServiceName("web");
  record.revision = rules::Revision(name);
  record.standing = standing;
  record.appeared = at(seen);
  record.last_seen = at(seen);
  return record;
}

inline rules::StepRecord step(const std::string& incident, std::size_t number, double started) {
  rules::StepRecord record;
  record.id = {.incident = rules::IncidentId(incident), .step = number};
  record.kind = "run";
  record.started = at(started);
  return record;
}

}  // namespace journal_support
