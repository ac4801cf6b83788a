#include "watcher/journal/codec.hpp"
#include "watcher/journal/sqlite_journal.hpp"

namespace watcher {

namespace {

// Appends the records that the query gives in its first column. The reason when one cannot be read; a failed query
// shows in the statement.
template <class T>
std::optional<std::string> append(Statement& query, std::vector<T>& records) {
  while (query.next_row()) {
    auto record = decode<T>(query.text(0));
    if (!record) return "a record cannot be read: " + query.text(0).substr(0, 200);
    records.push_back(std::move(*record));
  }
  return std::nullopt;
}

class Loader {
 public:
  explicit Loader(const Database& database) : database_(database) {}

  template <class T>
  void load(const std::string& sql, std::vector<T>& records) {
    if (damage_ || fault_) return;
    auto query = database_.prepare(sql);
    if (auto why = append(query, records)) damage_ = Damage{*why};
    note(query);
  }
  // The record of one incident, where there is one.
  void load_incident(const rules::IncidentId& id, std::vector<rules::IncidentRecord>& records) {
    if (damage_ || fault_) return;
    auto query = database_.prepare("SELECT record FROM incidents WHERE id = ?");
    query.bind(id.text);
    if (auto why = append(query, records)) damage_ = Damage{*why};
    note(query);
  }
  void load_incident_ids(std::vector<rules::IncidentId>& ids) {
    if (damage_ || fault_) return;
    auto query = database_.prepare("SELECT id FROM incidents");
    while (query.next_row()) ids.emplace_back(query.text(0));
    note(query);
  }
  // Nothing: there is none, or it could not be read, which the result says.
  std::optional<rules::Instant> moment(std::string_view name) {
    auto query = database_.prepare("SELECT at_ns FROM moments WHERE name = ?");
    const bool is_there = query.bind(name).next_row();
    note(query);
    return is_there ? std::optional(from_nanoseconds(query.integer(0))) : std::nullopt;
  }
  std::variant<rules::DurableState, Damage, JournalFault> result(rules::DurableState state) {
    if (damage_) return *damage_;
    if (fault_) return *fault_;
    return state;
  }

 private:
  void note(const Statement& query) {
    if (!query.failed()) return;
    if (database_.damaged())
      damage_ = Damage{database_.fault("read the journal").what};
    else
      fault_ = database_.fault("read the journal");
  }

  const Database& database_;
  std::optional<Damage> damage_;
  std::optional<JournalFault> fault_;
};

}  // namespace

std::variant<rules::DurableState, Damage, JournalFault> load(const Database& database) {
  rules::DurableState state;
  Loader loader(database);
  loader.load("SELECT record FROM ledger ORDER BY service, appeared_ns, revision", state.ledger);
  loader.load("SELECT record FROM services ORDER BY service", state.services);
  loader.load("SELECT record FROM fuse ORDER BY service, at_ns", state.fuse);
  loader.load("SELECT record FROM incidents WHERE closed_ns IS NULL ORDER BY opened_ns, id", state.incidents);
  for (const rules::ServiceRecord& service : state.services) {
    for (const rules::IncidentId& id : service.later) loader.load_incident(id, state.ended);
    for (const rules::IncidentId& id : service.unsettled) loader.load_incident(id, state.ended);
  }
  loader.load_incident_ids(state.incident_ids);
  loader.load(
      "SELECT steps.record FROM steps JOIN incidents ON incidents.id = steps.incident WHERE closed_ns IS NULL "
      "ORDER BY incident, started_ns, steps.rowid",
      state.steps);
  loader.load("SELECT record FROM spans ORDER BY rule", state.spans);
  if (const auto alive = loader.moment("alive")) state.last_alive = *alive;
  const auto since = loader.moment("spans_since");
  const auto held = loader.moment("spans_held");
  if (since && held) {
    for (rules::SpanRecord& span : state.spans) rules::hold(span, *since, *held);
  }
  return loader.result(std::move(state));
}

std::variant<rules::DurableState, Damage, JournalFault> load_guarded(const Database& database) {
  rules::DurableState state;
  Loader loader(database);
  loader.load("SELECT record FROM ledger WHERE standing IN ('suspect', 'bad')", state.ledger);
  loader.load("SELECT record FROM services ORDER BY service", state.services);
  loader.load("SELECT record FROM fuse ORDER BY service, at_ns", state.fuse);
  loader.load("SELECT record FROM incidents WHERE closed_ns IS NULL", state.incidents);
  return loader.result(std::move(state));
}

std::optional<Decisions> decisions_of(const Database& database) {
  Decisions out;
  auto query = database.prepare("SELECT name, at_ns FROM moments WHERE name LIKE 'decisions%'");
  while (query.next_row()) {
    const std::string name = query.text(0);
    if (name == "decisions") out.count = query.integer(1);
    if (name == "decisions_chain") out.chain = static_cast<std::uint64_t>(query.integer(1));
    if (name == "decisions_before") out.before = static_cast<std::uint64_t>(query.integer(1));
  }
  return query.failed() ? std::nullopt : std::optional(out);
}

}  // namespace watcher
