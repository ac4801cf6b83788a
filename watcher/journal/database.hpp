#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "watcher/journal/journal.hpp"
#include "watcher/journal/schema.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace watcher {

// Statements that were prepared and are not in use: what is written every few seconds is not parsed again each time.
class PreparedStatements {
 public:
  ~PreparedStatements();
  // nullptr: there is none.
  sqlite3_stmt* take(const std::string& sql);
  void give_back(std::string sql, sqlite3_stmt* statement);

 private:
  std::map<std::string, sqlite3_stmt*> idle_;
};

// One SQL statement with its values. Failures show in failed(); Database::fault() then says what they were.
class Statement {
 public:
  Statement(sqlite3* connection, PreparedStatements& prepared, std::string sql);
  Statement(Statement&&) noexcept;
  ~Statement();

  // The next parameter.
  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);
  Statement& bind(std::optional<std::int64_t> number);

  bool next_row();  // false: no more rows, or failed()
  bool run();       // to the end; false: failed()
  bool failed() const { return failed_; }

  std::string text(int column) const;
  std::int64_t integer(int column) const;
  bool is_null(int column) const;

 private:
  PreparedStatements* prepared_;
  std::string sql_;
  sqlite3_stmt* statement_ = nullptr;
  int parameter_ = 0;
  bool failed_ = false;
};

// The file is not what SQLite or the journal can read, and not merely of another version.
struct Damage {
  std::string why;
};

// A connection to the journal's database.
class Database {
 public:
  using Opened = std::variant<Database, Damage, JournalFault>;

  // Opens for writing: makes what is not there, migrates an older version after a backup beside it (FILE.v1.backup),
  // refuses a newer one and a database of another program by name.
  static Opened open(const std::string& path, const Schema& schema);
  // Opens for reading; changes nothing, also when a watcher writes meanwhile.
  static Opened open_read_only(const std::string& path, const Schema& schema);

  Statement prepare(std::string sql) const;
  bool execute(const std::string& sql) const;
  // What the latest failure was, and whether it was for want of room.
  JournalFault fault(const std::string& attempt) const;
  // Whether the latest failure was that the file is damaged.
  bool damaged() const;
  // Everything into a new database, as far as all of it can be read. false: fault() says why.
  bool copy_to(const std::string& path) const;
  // Whether SQLite finds its pages in order. nullopt: it does, or cannot tell.
  std::optional<Damage> check() const;
  // Closing does not fold the -wal into the database: of one that is set aside both are evidence.
  void leave_as_it_is() const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit Database(std::string path) : path_(std::move(path)) {}
  bool connect(const std::string& name, int flags);
  std::optional<Opened> inspect(const Schema& schema);
  std::optional<Opened> refuse_version(int version, int known) const;
  std::optional<JournalFault> create(const Schema& schema);
  std::optional<JournalFault> migrate(int version, const Schema& schema);
  std::optional<std::string> first_value(const std::string& sql) const;
  std::optional<std::int64_t> pragma(const std::string& name) const;
  Opened failure(const std::string& attempt) const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::unique_ptr<PreparedStatements> prepared_ = std::make_unique<PreparedStatements>();  // of connection_
};

// Begins a transaction and rolls it back unless it was committed.
class Transaction {
 public:
  explicit Transaction(const Database& database);
  ~Transaction();
  bool began() const { return began_; }
  bool commit();

 private:
  const Database& database_;
  bool began_ = false;
};

}  // namespace watcher
