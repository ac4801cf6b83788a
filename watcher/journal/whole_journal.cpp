#include "watcher/journal/whole_journal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "watcher/journal/codec.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/journal/host_copy.hpp"
#include "watcher/journal/schema.hpp"

namespace watcher {

namespace {

using Loaded = std::variant<WholeJournal, Damage, JournalFault>;

Loaded load_all(Database::Opened opened) {
  if (auto* fault = std::get_if<JournalFault>(&opened)) return std::move(*fault);
  if (auto* damage = std::get_if<Damage>(&opened)) return std::move(*damage);
  auto& database = std::get<Database>(opened);
  auto state = load(database);
  if (auto* fault = std::get_if<JournalFault>(&state)) return std::move(*fault);
  if (auto* damage = std::get_if<Damage>(&state)) return std::move(*damage);
  const std::optional<Decisions> decisions = decisions_of(database);
  if (!decisions) return database.fault("read the journal");
  WholeJournal out{std::move(database), {}, {}};
  out.found.durable = std::get<rules::DurableState>(std::move(state));
  out.guards = Guards(*decisions, out.found.durable);
  return out;
}

JournalFault damage_fault(const std::string& path, const std::string& why) {
  return {.what = "read the journal " + path + ": damaged: " + why + "; start the watcher, it sets it aside"};
}

// What is known besides the database.
struct SecondCopy {
  std::optional<Guards> guards;  // the newer one of that in the directory and of that of the host
  std::string lost;              // why there is none in the directory, for people; empty: there is
  bool is_of_host = false;       // that of the host is the newer one, and tells of decisions
};

SecondCopy read_second_copy(const StateDir& dir) {
  SecondCopy out;
  const std::optional<std::string> text = read_whole(dir.guards());
  if (text) out.guards = Guards::read(*text);
  if (!out.guards) out.lost = dir.guards() + (text ? " cannot be read" : " is missing");
  std::optional<Guards> elsewhere = read_host_copy(dir.host_copy());
  const std::int64_t decided = out.guards ? out.guards->decisions().count : 0;
  out.is_of_host = elsewhere && elsewhere->decisions().count > decided;
  if (out.is_of_host) out.guards = std::move(elsewhere);
  return out;
}

// For people; empty: nothing that was saved is missing.
std::string why_not_whole(const SecondCopy& copy, const Guards& database) {
  if (copy.guards) return copy.guards->why_not_of(database);
  // One that was never written belongs to a first start, or to the first one of this version.
  if (database.decisions().count == 0 && copy.lost.ends_with("missing")) return "";
  return "what it must hold cannot be told: " + copy.lost + "; what it holds is kept, the newest may be lost";
}

// A database that has vanished would be begun anew without a word, as at a first start.
std::string why_vanished(const StateDir& dir, const SecondCopy& copy) {
  std::string why = dir.why_database_vanished();
  std::error_code error;
  if (!why.empty() || !copy.is_of_host || std::filesystem::exists(dir.database(), error)) return why;
  return "all of " + dir.path() + " is gone, though " + std::to_string(copy.guards->decisions().count) +
         " decisions were saved in it (so says " + dir.host_copy() +
         "); if it was moved, or its disk is not mounted, put it back and start again";
}

std::optional<JournalFault> set_aside(StateDir& dir, const Damage& damage, const SecondCopy& copy,
                                      JournalState& found) {
  std::string why = "the journal was damaged: " + damage.why;
  if (copy.guards) {
    for (const std::string& open : copy.guards->open_incidents())
      why += "; open then, and perhaps not finished: " + open;
  }
  if (auto fault = dir.mark_observe_only(why)) return fault;
  auto aside = dir.set_database_aside();
  if (auto* fault = std::get_if<JournalFault>(&aside)) return std::move(*fault);
  found.set_aside = true;
  found.set_aside_as = std::get<std::string>(aside);
  found.set_aside_why = damage.why;
  return std::nullopt;
}

// What was decided before counts on.
std::optional<JournalFault> begin_with(const Database& database, const std::vector<rules::Record>& records,
                                       const Guards& guards) {
  const RecordWriter write(database);
  const auto written = [&](const rules::Record& record) { return std::visit(write, record); };
  Transaction transaction(database);
  if (transaction.began() && std::all_of(records.begin(), records.end(), written) &&
      write(guards.decisions().followed_by(records)) && transaction.commit())
    return std::nullopt;
  return database.fault("begin the journal anew");
}

// What can be read of a table, up to what cannot.
template <class T>
void append_readable(const Database& database, const char* table, std::vector<rules::Record>& records) {
  auto query = database.prepare(std::string("SELECT record FROM ") + table);
  while (query.next_row()) {
    if (auto record = decode<T>(query.text(0))) records.emplace_back(std::move(*record));
  }
}

// The second copy comes last: what it says is so.
std::vector<rules::Record> all_that_is_known(const Database& open, const Guards& saved) {
  std::vector<rules::Record> records;
  append_readable<rules::LedgerRecord>(open, "ledger", records);
  append_readable<rules::ServiceRecord>(open, "services", records);
  append_readable<rules::FuseRecord>(open, "fuse", records);
  append_readable<rules::IncidentRecord>(open, "incidents", records);
  append_readable<rules::StepRecord>(open, "steps", records);
  for (rules::Record& record : saved.for_a_new_database()) records.push_back(std::move(record));
  return records;
}

// Durable on return.
std::optional<JournalFault> write_all_again(const Database& open, const Guards& saved, const std::string& path) {
  ::unlink(path.c_str());  // of a try that did not get to its end
  if (open.copy_to(path) && !find_damage(path, saved)) return sync_file(path);
  ::unlink(path.c_str());
  auto fresh = Database::open(path, journal_schema());
  if (auto* fault = std::get_if<JournalFault>(&fresh)) return std::move(*fault);
  const auto* database = std::get_if<Database>(&fresh);
  if (database == nullptr) return damage_fault(path, "it was just made");
  return begin_with(*database, all_that_is_known(open, saved), saved);
}

// What a database that is begun anew begins with.
struct Known {
  std::vector<rules::Record> records;
  Guards guards;
};

// Out of a database that lacks the newest, or may: what it has open may be over long since. The copy comes last: what
// it says is so.
Known known_of(const WholeJournal& older, const std::optional<Guards>& newer) {
  Known out{all_that_is_known(older.database, older.guards), newer ? *newer : older.guards};
  if (!newer) return out;
  for (rules::Record& record : newer->for_a_new_database()) out.records.push_back(std::move(record));
  return out;
}

Loaded load_or_damage(const StateDir& dir, const SecondCopy& copy, std::optional<Known>& known) {
  if (copy.guards) known = Known{copy.guards->for_a_new_database(), *copy.guards};
  if (std::string vanished = why_vanished(dir, copy); !vanished.empty()) return Damage{std::move(vanished)};
  Loaded loaded = load_all(Database::open(dir.database(), journal_schema()));
  auto* const whole = std::get_if<WholeJournal>(&loaded);
  if (whole == nullptr) return loaded;
  std::string lacks = why_not_whole(copy, whole->guards);
  if (lacks.empty()) return loaded;
  const bool is_older = copy.is_of_host && whole->guards.decisions().count < copy.guards->decisions().count;
  if (!known || is_older) known = known_of(*whole, copy.guards);
  whole->database.leave_as_it_is();
  return Damage{std::move(lacks)};
}

Loaded begin_anew(const StateDir& dir, const std::optional<Known>& known) {
  Loaded loaded = load_all(Database::open(dir.database(), journal_schema()));
  const auto* begun = std::get_if<WholeJournal>(&loaded);
  if (begun == nullptr || !known) return loaded;
  if (auto fault = begin_with(begun->database, known->records, known->guards)) return *fault;
  loaded = Damage{};  // closes it
  return load_all(Database::open(dir.database(), journal_schema()));
}

}  // namespace

std::variant<WholeJournal, JournalFault> find_whole(StateDir& dir) {
  const SecondCopy copy = read_second_copy(dir);
  JournalState found;
  std::optional<Known> known;
  Loaded loaded = load_or_damage(dir, copy, known);
  if (auto* damage = std::get_if<Damage>(&loaded)) {
    if (auto fault = set_aside(dir, *damage, copy, found)) return *fault;
    loaded = begin_anew(dir, known);
    if (auto* again = std::get_if<Damage>(&loaded)) return damage_fault(dir.database(), again->why);
  } else if (copy.is_of_host && !copy.lost.empty()) {
    // The database is whole, as that of the host says; what kept it so was taken away all the same.
    if (auto fault = dir.mark_observe_only("the journal's second copy was lost: " + copy.lost)) return *fault;
  }
  if (auto* fault = std::get_if<JournalFault>(&loaded)) return std::move(*fault);
  auto& whole = std::get<WholeJournal>(loaded);
  found.durable = std::move(whole.found.durable);
  found.observe_only = dir.observe_only();
  found.observe_only_why = dir.why_observe_only();
  whole.found = std::move(found);
  return std::move(whole);
}

std::variant<WholeJournal, JournalFault> open_to_read(const std::string& path) {
  Loaded loaded = load_all(Database::open_read_only(path, journal_schema()));
  if (auto* fault = std::get_if<JournalFault>(&loaded)) return std::move(*fault);
  if (auto* damage = std::get_if<Damage>(&loaded)) return damage_fault(path, damage->why);
  return std::get<WholeJournal>(std::move(loaded));
}

std::optional<std::variant<Damage, JournalFault>> find_damage(const std::string& path, const Guards& saved) {
  using Found = std::variant<Damage, JournalFault>;
  auto opened = Database::open_read_only(path, journal_schema());
  if (auto* fault = std::get_if<JournalFault>(&opened)) return Found(std::move(*fault));
  if (auto* damage = std::get_if<Damage>(&opened)) return Found(std::move(*damage));
  const auto& database = std::get<Database>(opened);
  if (const auto damage = database.check()) return Found(*damage);
  auto state = load_guarded(database);
  if (auto* fault = std::get_if<JournalFault>(&state)) return Found(std::move(*fault));
  if (auto* damage = std::get_if<Damage>(&state)) return Found(std::move(*damage));
  const std::optional<Decisions> decisions = decisions_of(database);
  if (!decisions) return Found(database.fault("read the journal"));
  std::string why = saved.why_not_of(Guards(*decisions, std::get<rules::DurableState>(state)));
  return why.empty() ? std::nullopt : std::optional(Found(Damage{std::move(why)}));
}

std::variant<WholeJournal, JournalFault> begin_anew_from(StateDir& dir, const Database& open, const Guards& saved,
                                                         const std::string& why) {
  const std::string fresh = dir.database() + ".new";
  if (auto fault = write_all_again(open, saved, fresh)) return *fault;
  if (auto fault = dir.mark_observe_only(why)) return *fault;
  auto aside = dir.set_database_aside();
  if (auto* fault = std::get_if<JournalFault>(&aside)) return std::move(*fault);
  open.leave_as_it_is();
  if (::rename(fresh.c_str(), dir.database().c_str()) != 0)
    return file_fault("rename to " + dir.database(), errno, "check that state_dir can be written");
  if (auto fault = sync_folder(std::filesystem::path(fresh).parent_path().string())) return *fault;
  Loaded loaded = load_all(Database::open(dir.database(), journal_schema()));
  if (auto* whole = std::get_if<WholeJournal>(&loaded)) return std::move(*whole);
  ::unlink(dir.database().c_str());  // of which `open` has everything: the next try begins here again
  if (auto* damage = std::get_if<Damage>(&loaded)) return damage_fault(dir.database(), damage->why);
  return std::get<JournalFault>(std::move(loaded));
}

std::string keep_host_copy(const StateDir& dir, const Guards& guards) {
  if (dir.observe_only() || dir.host_copy().empty() || write_host_copy(dir.host_copy(), guards)) return {};
  return "write " + dir.host_copy() + ": " + std::generic_category().message(errno) +
         "; a state_dir that is lost or exchanged is not missed while that lasts; make its folder writable";
}

std::optional<JournalFault> write_guards(const StateDir& dir, const Guards& guards) {
  auto fault = write_whole(dir.guards(), guards.text(), private_file);
  keep_host_copy(dir, guards);
  return fault;
}

}  // namespace watcher
