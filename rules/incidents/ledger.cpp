#include "rules/incidents/ledger.hpp"

#include <algorithm>
#include <utility>

namespace rules {

void Ledger::put(LedgerRecord record) {
  auto& revisions = records_[record.service];
  const Revision key = record.revision;
  revisions.insert_or_assign(key, std::move(record));
}

LedgerRecord* Ledger::find(const ServiceName& service, const Revision& revision) {
  return const_cast<LedgerRecord*>(std::as_const(*this).find(service, revision));
}

const LedgerRecord* Ledger::find(const ServiceName& service, const Revision& revision) const {
  const auto revisions = records_.find(service);
  if (revisions == records_.end()) return nullptr;
  const auto found = revisions->second.find(revision);
  return found == revisions->second.end() ? nullptr : &found->second;
}

bool Ledger::has_seen(const ServiceName& service) const {
  const auto revisions = records_.find(service);
  return revisions != records_.end() && std::any_of(revisions->second.begin(), revisions->second.end(),
                                                    [](const auto& one) { return one.second.last_seen != Instant(); });
}

std::optional<Revision> Ledger::last_good(const ServiceName& service, const Revision& from,
                                          const std::function<bool(const LedgerRecord&)>& may_be) const {
  const auto revisions = records_.find(service);
  if (revisions == records_.end()) return std::nullopt;
  const LedgerRecord* best = nullptr;
  for (const auto& [revision, record] : revisions->second) {
    if (revision == from || record.standing != Standing::good) continue;
    const bool is_later =
        best == nullptr || std::pair(record.last_seen, record.appeared) > std::pair(best->last_seen, best->appeared);
    if (is_later && may_be(record)) best = &record;
  }
  if (best == nullptr) return std::nullopt;
  return best->revision;
}

std::vector<LedgerRecord> Ledger::all() const {
  std::vector<LedgerRecord> out;
  for (const auto& [service, revisions] : records_) {
    for (const auto& [revision, record] : revisions) out.push_back(record);
  }
  return out;
}

std::vector<LedgerRecord*> Ledger::of(const ServiceName& service) {
  std::vector<LedgerRecord*> out;
  const auto revisions = records_.find(service);
  if (revisions == records_.end()) return out;
  for (auto& [revision, record] : revisions->second) out.push_back(&record);
  return out;
}

std::vector<LedgerRecord> Ledger::of(const ServiceName& service) const {
  std::vector<LedgerRecord> out;
  const auto revisions = records_.find(service);
  if (revisions == records_.end()) return out;
  for (const auto& [revision, record] : revisions->second) out.push_back(record);
  return out;
}

}  // namespace rules
