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

}  // namespace rules
