#include "journal.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "watcher/journal/codec.hpp"

namespace sim {

using namespace rules;

namespace {

template <class T>
T read(const std::string& text) {
  return watcher::decode<T>(text).value_or(T{});
}

template <class Texts, class T>
void read_all(const Texts& texts, std::vector<T>& out) {
  for (const auto& [key, text] : texts) out.push_back(read<T>(text));
}

bool is_named(const std::vector<ServiceRecord>& services, const IncidentId& id) {
  return std::any_of(services.begin(), services.end(), [&](const ServiceRecord& service) {
    const auto names = [&](const std::vector<IncidentId>& ids) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    return names(service.later) || names(service.unsettled);
  });
}

template <class T>
std::string written(const T& record, std::vector<std::string>& breaches) {
  std::string text = watcher::encode(record);
  const std::optional<T> back = watcher::decode<T>(text);
  if (!back || watcher::encode(*back) != text)
    breaches.push_back("the journal does not read back what it wrote: " + text);
  return text;
}

}  // namespace

void TextJournal::write(const Record& record) {
  if (const auto* x = std::get_if<LedgerRecord>(&record)) {
    ledger_[{x->service.text, x->revision.text}] = written(*x, breaches);
  }
  if (const auto* x = std::get_if<ServiceRecord>(&record)) services_[x->service.text] = written(*x, breaches);
  if (const auto* x = std::get_if<FuseRecord>(&record)) fuse_.push_back(written(*x, breaches));
  if (const auto* x = std::get_if<IncidentRecord>(&record)) incidents_[x->id.text] = written(*x, breaches);
  if (const auto* x = std::get_if<StepRecord>(&record)) steps_[x->id] = written(*x, breaches);
  if (const auto* x = std::get_if<SpanRecord>(&record)) spans_[x->rule.text] = watcher::encode(*x);
  if (const auto* x = std::get_if<SpansHeld>(&record); x != nullptr && held_.follow(*x)) spans_.clear();
}

std::string TextJournal::commit(const std::vector<Record>& records, Instant now) {
  switch (disk) {
    case Disk::full:
      return "the disk is full";
    case Disk::locked:
      return "the database is locked";
    case Disk::sync_fails:
      unsynced_ = records;
      return "fsync: input/output error";
    case Disk::well:
      break;
  }
  unsynced_.clear();
  for (const Record& record : records) write(record);
  alive(now);
  return "";
}

std::vector<Record> TextJournal::power_cut(Dice& dice) {
  std::vector<Record> left = std::exchange(unsynced_, {});
  if (!dice.percent(50)) return {};
  for (const Record& record : left) write(record);
  return left;
}

DurableState TextJournal::read_back() const {
  DurableState out;
  read_all(ledger_, out.ledger);
  read_all(services_, out.services);
  for (const std::string& text : fuse_) out.fuse.push_back(read<FuseRecord>(text));
  for (const auto& [id, text] : incidents_) {
    IncidentRecord record = read<IncidentRecord>(text);
    out.incident_ids.push_back(record.id);
    if (!record.closed) {
      out.incidents.push_back(std::move(record));
    } else if (is_named(out.services, record.id)) {
      out.ended.push_back(std::move(record));
    }
  }
  for (const IncidentRecord& open : out.incidents) {
    for (const auto& [id, text] : steps_) {
      if (id.incident == open.id) out.steps.push_back(read<StepRecord>(text));
    }
  }
  read_all(spans_, out.spans);
  for (SpanRecord& span : out.spans) held_.hold(span);
  if (alive_ != Instant::min()) out.last_alive = alive_;
  return out;
}

std::optional<IncidentRecord> TextJournal::incident(const IncidentId& id) const {
  const auto found = incidents_.find(id.text);
  if (found == incidents_.end()) return std::nullopt;
  return watcher::decode<IncidentRecord>(found->second);
}

std::optional<StepRecord> TextJournal::step(const StepId& id) const {
  const auto found = steps_.find(id);
  if (found == steps_.end()) return std::nullopt;
  return watcher::decode<StepRecord>(found->second);
}

std::vector<IncidentRecord> TextJournal::incidents() const {
  std::vector<IncidentRecord> out;
  read_all(incidents_, out);
  return out;
}

}  // namespace sim
