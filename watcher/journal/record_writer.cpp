#include <algorithm>

#include "watcher/journal/codec.hpp"
#include "watcher/journal/sqlite_journal.hpp"

namespace watcher {

namespace {

std::optional<std::int64_t> nanoseconds(const std::optional<rules::Instant>& at) {
  if (!at) return std::nullopt;
  return watcher::nanoseconds(*at);
}

// Begin and end of an output are what people look at.
rules::StepRecord with_short_output(rules::StepRecord record) {
  if (record.output.size() <= step_output_max) return record;
  const std::size_t head = step_output_max / 4;
  const std::size_t dropped = record.output.size() - step_output_max;
  record.output.replace(head, dropped, "\n[... " + std::to_string(dropped) + " bytes left out ...]\n");
  record.output_dropped += static_cast<std::int64_t>(dropped);
  return record;
}

}  // namespace

bool RecordWriter::operator()(const rules::LedgerRecord& record) const {
  return database_.prepare("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?)")
             .bind(record.service.text)
             .bind(record.revision.text)
             .bind(enumerator_name(record.standing))
             .bind(watcher::nanoseconds(record.appeared))
             .bind(watcher::nanoseconds(record.last_seen))
             .bind(encode(record))
             .run() &&
         prune_ledger(record.service);
}

bool RecordWriter::prune_ledger(const rules::ServiceName& service) const {
  // Quarantined revisions are counted apart: forgetting one would make it a candidate again.
  for (const char* condition : {"standing = 'bad'", "standing <> 'bad'"}) {
    const std::string of_service = std::string(" FROM ledger WHERE service = ?1 AND ") + condition;
    const std::string newest = "(SELECT revision" + of_service + " ORDER BY last_seen_ns DESC, revision LIMIT ?2)";
    const std::string targets =
        "(SELECT revision FROM ledger WHERE service = ?1 AND standing = 'good' ORDER BY last_seen_ns DESC, revision "
        "LIMIT ?3)";
    const bool pruned =
        database_.prepare("DELETE" + of_service + " AND revision NOT IN " + newest + " AND revision NOT IN " + targets)
            .bind(service.text)
            .bind(ledger_revisions_max)
            .bind(ledger_good_min)
            .run();
    if (!pruned) return false;
  }
  return true;
}

bool RecordWriter::operator()(const rules::ServiceRecord& record) const {
  return database_.prepare("INSERT OR REPLACE INTO services VALUES (?, ?, ?)")
      .bind(record.service.text)
      .bind(record.running.text)
      .bind(encode(record))
      .run();
}

bool RecordWriter::operator()(const rules::FuseRecord& record) const {
  // The newest reset stays however old it is: it says which switches of a revision still count.
  return database_
             .prepare(
                 "DELETE FROM fuse WHERE service = ?1 AND at_ns < ?2 AND (use <> 'reset' OR at_ns < (SELECT "
                 "max(at_ns) FROM fuse WHERE service = ?1 AND use = 'reset'))")
             .bind(record.service.text)
             .bind(watcher::nanoseconds(record.at - fuse_kept))
             .run() &&
         database_.prepare("INSERT OR REPLACE INTO fuse VALUES (?, ?, ?, ?, ?, ?)")
             .bind(record.service.text)
             .bind(watcher::nanoseconds(record.at))
             .bind(enumerator_name(record.use))
             .bind(record.from.text)
             .bind(record.incident.text)
             .bind(encode(record))
             .run();
}

bool RecordWriter::operator()(const rules::IncidentRecord& record) const {
  const std::string outcome = record.outcome ? enumerator_name(*record.outcome) : std::string();
  return database_.prepare("INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?)")
             .bind(record.id.text)
             .bind(record.service.text)
             .bind(enumerator_name(record.severity))
             .bind(watcher::nanoseconds(record.opened))
             .bind(nanoseconds(record.closed))
             .bind(outcome)
             .bind(record.from.text)
             .bind(record.to.text)
             .bind(encode(record))
             .run() &&
         (!record.closed || prune_incidents());
}

bool RecordWriter::prune_incidents() const {
  const std::string surplus =
      "(SELECT id FROM incidents WHERE closed_ns IS NOT NULL ORDER BY opened_ns DESC, id DESC LIMIT -1 OFFSET ?)";
  return database_.prepare("DELETE FROM steps WHERE incident IN " + surplus).bind(closed_incidents_max).run() &&
         database_.prepare("DELETE FROM incidents WHERE id IN " + surplus).bind(closed_incidents_max).run();
}

bool RecordWriter::operator()(const rules::StepRecord& whole) const {
  const rules::StepRecord record = with_short_output(whole);
  const auto exit_code = record.exit_code ? std::optional<std::int64_t>(*record.exit_code) : std::nullopt;
  // lock_step is the largest number there is and becomes -1 here; the record keeps it as it is.
  return database_.prepare("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(record.id.incident.text)
      .bind(static_cast<std::int64_t>(record.id.rung))
      .bind(enumerator_name(record.id.section))
      .bind(static_cast<std::int64_t>(record.id.step))
      .bind(std::int64_t{record.id.attempt})
      .bind(record.kind)
      .bind(enumerator_name(record.status))
      .bind(watcher::nanoseconds(record.started))
      .bind(nanoseconds(record.ended))
      .bind(exit_code)
      .bind(encode(record))
      .run();
}

bool RecordWriter::operator()(const rules::SpanRecord& record) const {
  return database_.prepare("INSERT OR REPLACE INTO spans VALUES (?, ?, ?)")
      .bind(record.rule.text)
      .bind(watcher::nanoseconds(record.saved_at))
      .bind(encode(record))
      .run();
}

bool RecordWriter::operator()(const rules::SpansHeld& held) const {
  if (!held.after) {
    return database_.prepare("DELETE FROM spans").run() &&
           database_.prepare("INSERT OR REPLACE INTO moments VALUES ('spans_since', ?1), ('spans_held', ?2)")
               .bind(watcher::nanoseconds(held.since))
               .bind(watcher::nanoseconds(held.at))
               .run();
  }
  return database_
      .prepare(
          "UPDATE moments SET at_ns = ?1 WHERE name = 'spans_held' AND at_ns = ?2 AND "
          "(SELECT at_ns FROM moments WHERE name = 'spans_since') = ?3")
      .bind(watcher::nanoseconds(held.at))
      .bind(watcher::nanoseconds(*held.after))
      .bind(watcher::nanoseconds(held.since))
      .run();
}

// Numbers, not times, in the table of single numbers that there is.
bool RecordWriter::operator()(const Decisions& decisions) const {
  return database_
      .prepare(
          "INSERT OR REPLACE INTO moments VALUES ('decisions', ?), ('decisions_chain', ?), ('decisions_before', ?)")
      .bind(decisions.count)
      .bind(static_cast<std::int64_t>(decisions.chain))
      .bind(static_cast<std::int64_t>(decisions.before))
      .run();
}

bool RecordWriter::raise_alive(rules::Instant at) const {
  return database_
      .prepare(
          "INSERT INTO moments VALUES ('alive', ?) ON CONFLICT (name) DO UPDATE SET at_ns = max(at_ns, "
          "excluded.at_ns)")
      .bind(nanoseconds(at))
      .run();
}

namespace {

struct NewestTime {
  rules::Instant operator()(const rules::LedgerRecord& r) const { return std::max(r.appeared, r.last_seen); }
  rules::Instant operator()(const rules::ServiceRecord& r) const { return r.running_since; }
  rules::Instant operator()(const rules::FuseRecord& r) const { return r.at; }
  rules::Instant operator()(const rules::IncidentRecord& r) const {
    const rules::Instant told = r.timeline.empty() ? r.opened : r.timeline.back().at;
    return std::max(told, r.closed.value_or(r.phase_since));
  }
  rules::Instant operator()(const rules::StepRecord& r) const { return r.ended.value_or(r.started); }
  rules::Instant operator()(const rules::SpanRecord& r) const { return r.saved_at; }
  rules::Instant operator()(const rules::SpansHeld& r) const { return r.at; }
};

}  // namespace

rules::Instant newest_time(const rules::Record& record) { return std::visit(NewestTime(), record); }

}  // namespace watcher
