#include <algorithm>

#include "rules/base/commit.hpp"
#include "rules/engine/revisions/revisions.hpp"

// Which revisions are no targets. What was found bad is a content: two names of the same are both kept from
// (SPEC 2.24).

namespace rules {

std::vector<Revision> Revisions::alike(const Revision& revision) const {
  for (const std::vector<Revision>& group : alike_) {
    if (std::find(group.begin(), group.end(), revision) != group.end()) return group;
  }
  return {};
}

const LedgerRecord* Revisions::quarantined(const Revision& revision, const std::vector<Revision>& more) const {
  const LedgerRecord* own = find(revision);
  if (own != nullptr && own->standing == Standing::bad) return own;
  std::vector<Revision> others = alike(revision);
  others.insert(others.end(), more.begin(), more.end());
  for (const Revision& other : others) {
    const LedgerRecord* record = other == revision ? nullptr : find(other);
    if (record == nullptr || record->standing != Standing::bad) continue;
    // What has proved itself since is good, whatever it is called.
    const bool is_proved = own != nullptr && own->standing == Standing::good && own->last_seen > record->last_seen;
    if (!is_proved) return record;
  }
  return nullptr;
}

// Where commits run, what somebody made of several or changed by hand can be named, and not gone to.
std::optional<Revision> Revisions::last_good(const Revision& from) const {
  const bool are_commits = is_commit(from.text);
  return doors_.ledger.last_good(spec_.name, from, [&](const LedgerRecord& record) {
    return (!are_commits || is_commit(record.revision.text)) && quarantined(record.revision) == nullptr;
  });
}

}  // namespace rules
