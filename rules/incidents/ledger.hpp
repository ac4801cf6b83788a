#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "rules/incidents/records.hpp"

namespace rules {

// Every revision seen of every service, and which of them may be rolled back to (SPEC 2.14, 2.17, 2.24).
class Ledger {
 public:
  void put(LedgerRecord record);
  // nullptr when the revision was never seen of the service.
  LedgerRecord* find(const ServiceName& service, const Revision& revision);
  const LedgerRecord* find(const ServiceName& service, const Revision& revision) const;
  // Whether any revision of the service was ever seen to run.
  bool has_seen(const ServiceName& service) const;
  // The good revision that ran most recently, other than `from`: never a bad one, never one that was not verified. One
  // that never ran and was only said to be good comes after all that ran.
  std::optional<Revision> last_good(const ServiceName& service, const Revision& from,
                                    const std::function<bool(const LedgerRecord&)>& may_be) const;
  std::vector<LedgerRecord> all() const;
  std::vector<LedgerRecord*> of(const ServiceName& service);
  std::vector<LedgerRecord> of(const ServiceName& service) const;

 private:
  std::map<ServiceName, std::map<Revision, LedgerRecord>> records_;
};

}  // namespace rules
