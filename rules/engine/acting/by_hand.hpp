#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/engine/config.hpp"
#include "rules/engine/events.hpp"
#include "rules/engine/revisions/revisions.hpp"

namespace rules {

struct ActionByHand {
  std::optional<ActionSpec> action;
  std::string refused;  // for people, when there is none
};

// The action that a rollback by hand runs: the one named; else `rollback`; else the one of the service that switches
// and undoes code alone; else, where no rule responds with one that switches, the bare switch. What loses data is never
// chosen, only named. Pure.
//
// Every service asks again and again, so all rules are gone through once. The configuration must outlive it, unchanged.
class ActionsByHand {
 public:
  explicit ActionsByHand(const CoreConfig& config);
  ActionByHand of(const ServiceSpec& service, const std::optional<ActionName>& named) const;

 private:
  struct Response {
    const ServiceName* service;
    const ActionName* name;
    const ActionSpec* action;  // nullptr: the configuration has none of that name
  };

  ActionByHand named_one(const ActionName& name) const;
  std::span<const Response> responses_of(const ServiceName& service) const;

  const CoreConfig* config_;
  std::vector<Response> responses_;           // by the service, then in the order of the actions
  std::vector<const ActionSpec*> of_nobody_;  // that switch, and that no rule responds with
  const ActionSpec* usual_ = nullptr;
  bool is_usual_used_ = false;  // by a rule of any service
};

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
