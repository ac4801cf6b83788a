#pragma once

#include <optional>
#include <string>

#include "rules/engine/config.hpp"
#include "rules/engine/events.hpp"
#include "rules/engine/revisions/revisions.hpp"

namespace rules {

// The action that a rollback by hand runs: the one named; else `rollback`; else the one of the service that switches
// and undoes code alone; else, where no rule responds with one that switches, the bare switch. What loses data is never
// chosen, only named. Pure.
struct ActionByHand {
  std::optional<ActionSpec> action;
  std::string refused;  // for people, when there is none
};
ActionByHand action_by_hand(const ServiceSpec& service, const CoreConfig& config,
                            const std::optional<ActionName>& named);

// Where it goes from what runs, or why it is refused, for people.
struct ByHand {
  Revision to;  // empty: its action has no switch, or the service no identity
  std::string refused;
};
ByHand target_by_hand(const RollbackByHand& request, const ActionSpec& action, const ServiceSpec& service,
                      const Revisions& revisions, const Revision& running);

// The command that acts by hand now and is not refused, for people: "`rollbackd rollback web` acts now".
// `running`: what runs then.
std::string way_by_hand(const ServiceSpec& service, const CoreConfig& config, const Revisions& revisions,
                        const Revision& running);
inline std::string way_by_hand(const ServiceSpec& service, const CoreConfig& config, const Revisions& revisions) {
  return way_by_hand(service, config, revisions, revisions.running());
}

}  // namespace rules
