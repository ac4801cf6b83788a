#include "watcher/journal/guards.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "watcher/journal/codec.hpp"
#include "watcher/journal/sqlite_journal.hpp"

namespace watcher {

namespace {

constexpr std::string_view first_line = "rollbackd guards 1\n";

// FNV-1a of 64 bits (Fowler, Noll, Vo): against disks and accidents, not against people who may write here.
constexpr std::uint64_t hash_begin = 0xcbf29ce484222325;
std::uint64_t hashed(std::uint64_t hash, std::string_view text) {
  constexpr std::uint64_t prime = 0x100000001b3;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return hash;
}

// What rules saw decides nothing by itself, and is not in the hash.
struct Encoded {
  template <class T>
  std::string operator()(const T& record) const {
    return encode(record);
  }
  std::string operator()(const rules::SpanRecord& /*record*/) const { return {}; }
  std::string operator()(const rules::SpansHeld& /*record*/) const { return {}; }
};

// Takes a line from the front; nullopt: there is no whole one.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

template <class Number>
bool take_number(std::string_view& line, Number& number, int base) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  return error == std::errc();
}

std::string decisions_line(const Decisions& decisions) {
  return fmt::format("decisions {} {:016x} {:016x}\n", decisions.count, decisions.chain, decisions.before);
}

bool read_decisions(std::string_view line, Decisions& decisions) {
  constexpr std::string_view word = "decisions";
  if (!line.starts_with(word)) return false;
  line.remove_prefix(word.size());
  constexpr int hexadecimal = 16;
  return take_number(line, decisions.count, 10) && take_number(line, decisions.chain, hexadecimal) &&
         take_number(line, decisions.before, hexadecimal) && line.empty();
}

std::string end_line(std::string_view text) { return fmt::format("end {:016x}\n", hash_of(text)); }

bool guards(const rules::LedgerRecord& record) {
  return record.standing == rules::Standing::suspect || record.standing == rules::Standing::bad ||
         record.switches_away > 0 || record.policy != rules::RollbackPolicy::automatic;
}

bool guards(const rules::ServiceRecord& record) {
  return record.rolled_back_here || record.acted_without_identity || !record.switching_to.empty() ||
         record.paused_until || !record.called_off.empty();
}

rules::IncidentRecord ended_by_damage(rules::IncidentRecord incident) {
  incident.closed = newest_time(incident);
  incident.outcome = rules::Outcome::action_failed;
  incident.outcome_detail =
      "the journal was damaged while this was open: what its plan had begun may not be finished, its `always` steps "
      "may not have run; look at what runs and finish it by hand";
  incident.phase = rules::IncidentPhase::closed;
  incident.in_flight = false;
  return incident;
}

}  // namespace

std::uint64_t hash_of(std::string_view text) { return hashed(hash_begin, text); }

Decisions Decisions::followed_by(const std::vector<rules::Record>& records) const {
  std::uint64_t hash = count == 0 ? hash_begin : chain;
  for (const rules::Record& record : records) hash = hashed(hash, std::visit(Encoded(), record));
  return {count + 1, hash, chain};
}

bool decides(const std::vector<rules::Record>& records) {
  return std::any_of(records.begin(), records.end(), [](const rules::Record& record) {
    return !std::holds_alternative<rules::SpanRecord>(record) && !std::holds_alternative<rules::SpansHeld>(record);
  });
}

Guards::Guards(const Decisions& decisions, const rules::DurableState& durable) : decisions_(decisions) {
  for (const auto& record : durable.ledger) take(record);
  for (const auto& record : durable.services) take(record);
  for (const auto& record : durable.fuse) take(record);
  for (const auto& record : durable.incidents) take(record);
}

void Guards::decide(const Decisions& now, const std::vector<rules::Record>& records) {
  decisions_ = now;
  for (const rules::Record& record : records) take(record);
}

void Guards::take(const rules::Record& record) {
  if (const auto* incident = std::get_if<rules::IncidentRecord>(&record)) {
    keep(Kind::incident, incident->id.text, *incident, !incident->closed);
  } else if (const auto* use = std::get_if<rules::FuseRecord>(&record)) {
    forget_old_uses(*use);
    const std::string key = fmt::format("{} {} {} {} {}", use->service.text, nanoseconds(use->at),
                                        enumerator_name(use->use), use->from.text, use->incident.text);
    keep(Kind::fuse, key, *use, true);
  } else if (const auto* revision = std::get_if<rules::LedgerRecord>(&record)) {
    keep(Kind::ledger, revision->service.text + " " + revision->revision.text, *revision, guards(*revision));
  } else if (const auto* service = std::get_if<rules::ServiceRecord>(&record)) {
    keep(Kind::service, service->service.text, *service, guards(*service));
  }
}

template <class T>
void Guards::keep(Kind kind, std::string key, const T& record, bool guards) {
  const Key at{kind, std::move(key)};
  if (guards)
    records_.insert_or_assign(at, encode(record));
  else
    records_.erase(at);
}

// What no limit looks at any more. Resets stay: the newest says which switches still count, and they are few.
void Guards::forget_old_uses(const rules::FuseRecord& newest) {
  std::erase_if(records_, [&](const auto& kept) {
    if (kept.first.kind != Kind::fuse) return false;
    const auto use = decode<rules::FuseRecord>(kept.second);
    return !use ||
           (use->service == newest.service && use->use != rules::FuseUse::reset && use->at < newest.at - fuse_kept);
  });
}

// Whether the database may have forgotten it: of the oldest revisions only so many are kept, and of the fuse what a
// limit looks at and the newest reset.
bool Guards::may_be_forgotten(const Key& key, const std::string& json) const {
  if (key.kind == Kind::ledger) return true;
  if (key.kind != Kind::fuse) return false;
  const auto use = decode<rules::FuseRecord>(json);
  return std::any_of(records_.begin(), records_.end(), [&](const auto& other) {
    if (!use || other.first.kind != Kind::fuse) return false;
    const auto later = decode<rules::FuseRecord>(other.second);
    return later && later->service == use->service && use->at < later->at - fuse_kept;
  });
}

std::string Guards::text() const {
  std::string text(first_line);
  text += decisions_line(decisions_);
  for (const auto& [key, json] : records_) {
    text += static_cast<char>(key.kind);
    text += ' ';
    text += json;
    text += '\n';
  }
  return text + end_line(text);
}

template <class T>
bool Guards::take_text(std::string_view json) {
  const auto record = decode<T>(json);
  if (record) take(*record);
  return record.has_value();
}

std::optional<Guards> Guards::read(std::string_view text) {
  const std::size_t end = text.rfind("\nend ");
  if (end == std::string_view::npos || text.substr(end + 1) != end_line(text.substr(0, end + 1))) return std::nullopt;
  text = text.substr(0, end + 1);
  if (!text.starts_with(first_line)) return std::nullopt;
  text.remove_prefix(first_line.size());
  Guards out;
  const auto decisions = take_line(text);
  if (!decisions || !read_decisions(*decisions, out.decisions_)) return std::nullopt;
  while (const auto line = take_line(text)) {
    constexpr std::size_t before_json = 2;
    const std::string_view json = line->substr(std::min(before_json, line->size()));
    const char kind = line->empty() ? '\0' : line->front();
    const bool is_read = kind == static_cast<char>(Kind::incident) ? out.take_text<rules::IncidentRecord>(json)
                         : kind == static_cast<char>(Kind::fuse)   ? out.take_text<rules::FuseRecord>(json)
                         : kind == static_cast<char>(Kind::ledger) ? out.take_text<rules::LedgerRecord>(json)
                                                                   : out.take_text<rules::ServiceRecord>(json);
    if (!is_read) return std::nullopt;
  }
  return out;
}

std::string Guards::why_not_of(const Guards& database) const {
  const Decisions& held = database.decisions_;
  if (held.count < decisions_.count) {
    return fmt::format("of {} decisions that were saved the last {} are missing", decisions_.count,
                       decisions_.count - held.count);
  }
  const bool another = (held.count == decisions_.count && held.chain != decisions_.chain) ||
                       (held.count == decisions_.count + 1 && held.before != decisions_.chain);
  if (another) return "it tells of other decisions than those that were saved last";
  if (held.count > decisions_.count) return "";  // we were killed between the two
  for (const auto& [key, json] : records_) {
    const auto found = database.records_.find(key);
    const bool is_missing = found == database.records_.end();
    if (is_missing && may_be_forgotten(key, json)) continue;
    if (is_missing || found->second != json) return "what it says of " + key.text + " is not what was saved";
  }
  return "";
}

std::vector<rules::Record> Guards::for_a_new_database() const {
  std::vector<rules::Record> out;
  for (const auto& [key, json] : records_) {
    switch (key.kind) {
      case Kind::incident:
        if (auto record = decode<rules::IncidentRecord>(json)) out.emplace_back(ended_by_damage(std::move(*record)));
        break;
      case Kind::fuse:
        if (auto record = decode<rules::FuseRecord>(json)) out.emplace_back(std::move(*record));
        break;
      case Kind::ledger:
        if (auto record = decode<rules::LedgerRecord>(json)) out.emplace_back(std::move(*record));
        break;
      case Kind::service:
        if (auto record = decode<rules::ServiceRecord>(json)) out.emplace_back(std::move(*record));
        break;
    }
  }
  return out;
}

std::vector<std::string> Guards::open_incidents() const {
  std::vector<std::string> out;
  for (const auto& [key, json] : records_) {
    if (key.kind != Kind::incident) continue;
    const auto record = decode<rules::IncidentRecord>(json);
    if (!record) continue;
    std::string line = record->id.text + " of " + record->service.text + ", " + std::string(to_string(record->phase));
    if (!record->to.empty()) line += ", to " + record->to.text;
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace watcher
