#pragma once

#include <optional>
#include <string>

#include "rules/engine/config.hpp"
#include "rules/engine/events.hpp"
#include "rules/engine/revisions/revisions.hpp"

namespace rules {

// The action that a rollback by hand runs: the one named, else the first that a rule of the service responds with and
// that switches, else `rollback`, else the bare switch. None: there is none. Pure.
std::optional<ActionSpec> action_by_hand(const ServiceSpec& service, const CoreConfig& config,
                                         const std::optional<ActionName>& named);

// Where it goes, or why it is refused, for people.
struct ByHand {
  Revision to;  // empty: its action has no switch, or the service no identity
  std::string refused;
};
ByHand target_by_hand(const RollbackByHand& request, const ActionSpec& action, const ServiceSpec& service,
                      const Revisions& revisions);

}  // namespace rules
