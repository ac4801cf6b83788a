#pragma once

#include <optional>
#include <string>

#include "rules/engine/revisions/revisions.hpp"
#include "rules/incidents/plan.hpp"

namespace rules {

// Where a switch would go, or why it can go nowhere.
struct Target {
  std::optional<Revision> revision;
  std::string why_not;  // for people, when there is none
};

// Never to a bad revision, never to what runs already, never roll back a rollback (SPEC 2.24). Pure.
Target target_of(const SwitchStep& step, const IncidentRecord& incident, const ServiceSpec& service,
                 const Revisions& revisions);

// What the plan itself says, whatever is known of it; `from` is what is to be left. Pure.
Target chosen_target(const SwitchStep& step, const Revision& from, const Revisions& revisions);

// Why the plan cannot be begun: it uses a backup, none was named, and none is known that was made before `from` came.
// Empty: it can.
std::string why_no_backup(const ActionSpec& action, const Revisions& revisions, const Revision& from,
                          const std::string& named);

// For people; `bad`: as Revisions::quarantined() has it. Empty: it is not.
std::string why_quarantined(const Revision& to, const LedgerRecord* bad);

}  // namespace rules
