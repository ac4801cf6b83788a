#pragma once

#include <string>
#include <vector>

namespace watcher {

// The database's shape. `version` is its user_version; migrations[n] brings a database of version n + 1 to n + 2.
struct Schema {
  int version = 1;
  std::string create;
  std::vector<std::string> migrations;
};

// Marks a SQLite file as ours: "rlbk".
inline constexpr int journal_application_id = 0x726C626B;

// One table a record type: its key, the columns worth a query by hand, and the whole record as JSON.
// Times are nanoseconds since the Unix epoch.
Schema journal_schema();

}  // namespace watcher
