#include "watcher/journal/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

constexpr unsigned database_mode = 0600;  // SQLite gives -wal and -shm the database's mode
constexpr int busy_ms = 5000;             // somebody looks into the database with another tool

bool for_want_of_room(int code, int system_error) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return true;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      return system_error == ENOSPC || system_error == EDQUOT || system_error == EROFS || system_error == EACCES;
    default:
      return false;
  }
}

std::optional<JournalFault> make_private_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, database_mode));
  if (file.is_open()) return std::nullopt;
  return file_fault("open " + path, errno, "make room and check that state_dir can be written");
}

}  // namespace

PreparedStatements::~PreparedStatements() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
}

sqlite3_stmt* PreparedStatements::take(const std::string& sql) {
  const auto found = idle_.find(sql);
  if (found == idle_.end()) return nullptr;
  sqlite3_stmt* statement = found->second;
  idle_.erase(found);
  return statement;
}

void PreparedStatements::give_back(std::string sql, sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (!idle_.emplace(std::move(sql), statement).second) sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* connection, PreparedStatements& prepared, std::string sql)
    : prepared_(&prepared), sql_(std::move(sql)), statement_(prepared.take(sql_)) {
  if (statement_ != nullptr) return;
  failed_ =
      sqlite3_prepare_v2(connection, sql_.c_str(), static_cast<int>(sql_.size()), &statement_, nullptr) != SQLITE_OK;
}
Statement::Statement(Statement&& other) noexcept
    : prepared_(other.prepared_),
      sql_(std::move(other.sql_)),
      statement_(std::exchange(other.statement_, nullptr)),
      parameter_(other.parameter_),
      failed_(other.failed_) {}
Statement::~Statement() {
  if (statement_ == nullptr) return;
  if (failed_) {
    sqlite3_finalize(statement_);
  } else {
    prepared_->give_back(std::move(sql_), statement_);
  }
}

Statement& Statement::bind(std::string_view text) {
  if (failed_) return *this;
  const char* begin = text.empty() ? "" : text.data();
  failed_ =
      sqlite3_bind_text64(statement_, ++parameter_, begin, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK;
  return *this;
}
Statement& Statement::bind(std::int64_t number) {
  if (!failed_) failed_ = sqlite3_bind_int64(statement_, ++parameter_, number) != SQLITE_OK;
  return *this;
}
Statement& Statement::bind(std::optional<std::int64_t> number) {
  if (number) return bind(*number);
  if (!failed_) failed_ = sqlite3_bind_null(statement_, ++parameter_) != SQLITE_OK;
  return *this;
}

bool Statement::next_row() {
  if (failed_) return false;
  const int result = sqlite3_step(statement_);
  failed_ = result != SQLITE_ROW && result != SQLITE_DONE;
  return result == SQLITE_ROW;
}
bool Statement::run() {
  while (next_row()) {
  }
  return !failed_;
}

std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return text == nullptr ? std::string() : std::string(text, text + length);
}
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

bool Database::connect(const std::string& name, int flags) {
  sqlite3* connection = nullptr;
  const int result = sqlite3_open_v2(name.c_str(), &connection, flags, nullptr);
  prepared_ = std::make_unique<PreparedStatements>();
  connection_.reset(connection);
  if (result != SQLITE_OK) return false;
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, busy_ms);
  return true;
}

Database::Opened Database::open(const std::string& path, const Schema& schema) {
  if (auto fault = make_private_file(path)) return *fault;
  Database database(path);
  const std::string attempt = "open the journal " + path;
  if (!database.connect(path, SQLITE_OPEN_READWRITE)) return database.failure(attempt);
  if (auto problem = database.inspect(schema)) {
    database.leave_as_it_is();
    return std::move(*problem);
  }
  return database;
}

Database::Opened Database::open_read_only(const std::string& path, const Schema& schema) {
  Database database(path);
  const std::string attempt = "read the journal " + path;
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) {
    const std::string why = missing ? missing.message() + "; use root or the watcher's user"
                                    : "there is none; has a watcher run with this state_dir?";
    return JournalFault{.what = attempt + ": " + why};
  }
  if (!database.connect(path, SQLITE_OPEN_READONLY)) return database.failure(attempt);
  if (!database.pragma("user_version")) {
    // A folder that cannot be written, no watcher: there is no -shm and none can be made, but nobody writes either.
    if (database.damaged() ||
        !database.connect("file:" + path + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI))
      return database.failure(attempt);
  }
  const auto version = database.pragma("user_version");
  if (!version) return database.failure(attempt);
  if (*version != schema.version)
    return JournalFault{.what = attempt + ": it is of version " + std::to_string(*version) + ", this rollbackd reads " +
                                std::to_string(schema.version) + "; start the watcher of this version on it first"};
  return database;
}

std::optional<Database::Opened> Database::inspect(const Schema& schema) {
  const std::string attempt = "read the journal " + path_;
  const auto owner = pragma("application_id");
  const auto version = pragma("user_version");
  const auto tables = first_value("SELECT count(*) FROM sqlite_schema");
  if (!owner || !version || !tables) return failure(attempt);
  const bool empty = *tables == "0" && *owner == 0 && *version == 0;
  if (!empty && *owner != journal_application_id)
    return JournalFault{.what = attempt + ": it is a database of another program (application_id " +
                                std::to_string(*owner) + "); move it away or set another state_dir"};
  if (!empty && *version != schema.version) {
    if (auto refused = refuse_version(static_cast<int>(*version), schema.version)) return refused;
  }
  // Only now, so that a database that is refused is left as it was.
  // What is written is seldom read again: of the two megabytes that SQLite would keep of it an eighth will do.
  if (!execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=4194304; "
               "PRAGMA cache_size=-256"))
    return failure(attempt);
  if (empty) {
    if (auto fault = create(schema)) return *fault;
    return std::nullopt;
  }
  const auto check = first_value("PRAGMA quick_check(1)");
  if (!check) return failure(attempt);
  if (*check != "ok") return Damage{*check};
  if (*version == schema.version) return std::nullopt;
  if (auto fault = migrate(static_cast<int>(*version), schema)) return *fault;
  return std::nullopt;
}

std::optional<Database::Opened> Database::refuse_version(int version, int known) const {
  const std::string what = "read the journal " + path_ + ": it is of version " + std::to_string(version) +
                           ", this rollbackd knows up to " + std::to_string(known) + "; ";
  if (version > known) return JournalFault{.what = what + "run the newer rollbackd, or restore the backup beside it"};
  if (version < 1) return JournalFault{.what = what + "no version before 1 was ever released: move it away"};
  return std::nullopt;
}

std::optional<JournalFault> Database::create(const Schema& schema) {
  Transaction transaction(*this);
  const bool made = transaction.began() && execute(schema.create) &&
                    execute("PRAGMA application_id=" + std::to_string(journal_application_id)) &&
                    execute("PRAGMA user_version=" + std::to_string(schema.version)) && transaction.commit();
  if (made) return std::nullopt;
  return fault("begin the journal " + path_);
}

std::optional<JournalFault> Database::migrate(int version, const Schema& schema) {
  const std::string backup = path_ + ".v" + std::to_string(version) + ".backup";
  ::unlink(backup.c_str());  // of an attempt that did not get to its commit: the database is still the old one
  if (auto fault = make_private_file(backup)) return fault;
  if (!prepare("VACUUM INTO ?").bind(backup).run()) return fault("back the journal up to " + backup);
  Transaction transaction(*this);
  bool migrated = transaction.began();
  for (int from = version; migrated && from < schema.version; ++from)
    migrated = execute(schema.migrations.at(static_cast<std::size_t>(from - 1)));
  migrated = migrated && execute("PRAGMA user_version=" + std::to_string(schema.version)) && transaction.commit();
  if (migrated) return std::nullopt;
  return fault("migrate the journal " + path_ + " from version " + std::to_string(version) + " to " +
               std::to_string(schema.version));
}

std::optional<std::string> Database::first_value(const std::string& sql) const {
  auto statement = prepare(sql);
  if (!statement.next_row()) return std::nullopt;
  return statement.text(0);
}

std::optional<std::int64_t> Database::pragma(const std::string& name) const {
  auto statement = prepare("PRAGMA " + name);
  if (!statement.next_row()) return std::nullopt;
  return statement.integer(0);
}

Statement Database::prepare(std::string sql) const { return Statement(connection_.get(), *prepared_, std::move(sql)); }
bool Database::execute(const std::string& sql) const {
  return sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

bool Database::damaged() const {
  const int code = sqlite3_errcode(connection_.get()) & 0xff;
  return code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
}

std::optional<Damage> Database::check() const {
  const auto found = first_value("PRAGMA quick_check(1)");
  if (!found) return damaged() ? std::optional(Damage{sqlite3_errmsg(connection_.get())}) : std::nullopt;
  return *found == "ok" ? std::nullopt : std::optional(Damage{*found});
}

bool Database::copy_to(const std::string& path) const {
  return !make_private_file(path) && prepare("VACUUM INTO ?").bind(path).run();
}

void Database::leave_as_it_is() const {
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

JournalFault Database::fault(const std::string& attempt) const {
  const int code = sqlite3_extended_errcode(connection_.get());
  const int system_error = sqlite3_system_errno(connection_.get());
  const bool full = for_want_of_room(code, system_error);
  std::string what = attempt + ": " + sqlite3_errmsg(connection_.get());
  const bool from_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if (from_system && system_error != 0) what += " (" + std::generic_category().message(system_error) + ")";
  what += full ? "; make room and check that state_dir can be written" : "; check the disk and the log of the kernel";
  return {.what = what, .full = full};
}

Database::Opened Database::failure(const std::string& attempt) const {
  if (damaged()) return Damage{sqlite3_errmsg(connection_.get())};
  return fault(attempt);
}

Transaction::Transaction(const Database& database) : database_(database) {
  began_ = database_.execute("BEGIN IMMEDIATE");
}
Transaction::~Transaction() {
  if (began_) database_.execute("ROLLBACK");
}
bool Transaction::commit() {
  if (!database_.execute("COMMIT")) return false;
  began_ = false;
  return true;
}

}  // namespace watcher
