#include "watcher/journal/whole_journal.hpp"

#include <algorithm>
#include <utility>

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
  std::optional<Guards> guards;
  bool unreadable = false;
};

SecondCopy read_second_copy(const StateDir& dir) {
  const std::optional<std::string> text = read_whole(dir.guards());
  if (!text) return {};
  SecondCopy out{Guards::read(*text)};
  out.unreadable = !out.guards;
  return out;
}

// For people; empty: nothing that was saved is missing.
std::string why_not_whole(const StateDir& dir, const SecondCopy& copy, const Guards& database) {
  if (copy.guards) return copy.guards->why_not_of(database);
  if (copy.unreadable) return "what it must hold cannot be told: " + dir.guards() + " cannot be read";
  // One that was never written belongs to a first start, or to the first one of this version.
  if (database.decisions().count == 0) return "";
  return "what it must hold cannot be told: " + dir.guards() + " is missing";
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
std::optional<JournalFault> begin_with(const Database& database, const Guards& guards) {
  const std::vector<rules::Record> records = guards.for_a_new_database();
  const RecordWriter write(database);
  const auto written = [&](const rules::Record& record) { return std::visit(write, record); };
  Transaction transaction(database);
  if (transaction.began() && std::all_of(records.begin(), records.end(), written) &&
      write(guards.decisions().followed_by(records)) && transaction.commit())
    return std::nullopt;
  return database.fault("begin the journal anew");
}

Loaded begin_anew(const StateDir& dir, const SecondCopy& copy) {
  Loaded loaded = load_all(Database::open(dir.database(), journal_schema()));
  const auto* begun = std::get_if<WholeJournal>(&loaded);
  if (begun == nullptr || !copy.guards) return loaded;
  if (auto fault = begin_with(begun->database, *copy.guards)) return *fault;
  loaded = Damage{};  // closes it
  return load_all(Database::open(dir.database(), journal_schema()));
}

Loaded load_or_damage(const StateDir& dir, const SecondCopy& copy) {
  // A database that has vanished would be begun anew without a word, as at a first start.
  const std::string vanished = dir.why_database_vanished();
  if (!vanished.empty()) return Damage{vanished};
  Loaded loaded = load_all(Database::open(dir.database(), journal_schema()));
  auto* const whole = std::get_if<WholeJournal>(&loaded);
  if (whole == nullptr) return loaded;
  const std::string lacks = why_not_whole(dir, copy, whole->guards);
  if (lacks.empty()) return loaded;
  whole->database.leave_as_it_is();
  return Damage{lacks};
}

}  // namespace

std::variant<WholeJournal, JournalFault> find_whole(StateDir& dir) {
  const SecondCopy copy = read_second_copy(dir);
  JournalState found;
  Loaded loaded = load_or_damage(dir, copy);
  if (auto* damage = std::get_if<Damage>(&loaded)) {
    if (auto fault = set_aside(dir, *damage, copy, found)) return *fault;
    loaded = begin_anew(dir, copy);
    if (auto* again = std::get_if<Damage>(&loaded)) return damage_fault(dir.database(), again->why);
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

std::optional<JournalFault> find_damage(const std::string& path, const Guards& saved) {
  const auto damaged = [&](const std::string& why) {
    return JournalFault{.what = "the journal " + path + " was damaged while we run: " + why +
                                "; restart the watcher, which sets it aside, and check the disk"};
  };
  auto opened = Database::open_read_only(path, journal_schema());
  if (auto* fault = std::get_if<JournalFault>(&opened)) return std::move(*fault);
  if (auto* damage = std::get_if<Damage>(&opened)) return damaged(damage->why);
  const auto& database = std::get<Database>(opened);
  if (const auto damage = database.check()) return damaged(damage->why);
  auto state = load_guarded(database);
  if (auto* fault = std::get_if<JournalFault>(&state)) return std::move(*fault);
  if (auto* damage = std::get_if<Damage>(&state)) return damaged(damage->why);
  const std::optional<Decisions> decisions = decisions_of(database);
  if (!decisions) return database.fault("read the journal");
  const std::string why = saved.why_not_of(Guards(*decisions, std::get<rules::DurableState>(state)));
  return why.empty() ? std::nullopt : std::optional(damaged(why));
}

std::optional<JournalFault> write_guards(const StateDir& dir, const Guards& guards) {
  return write_whole(dir.guards(), guards.text(), private_file);
}

}  // namespace watcher
