#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/incidents/records.hpp"
#include "rules/incidents/service_spec.hpp"

namespace rules {

// How much has been done to each service lately, and whether more is allowed (SPEC 2.25).
class Fuse {
 public:
  void put(FuseRecord record);
  // The incident's newest switch, its newest action, or both count no more. Returns what is to be saved of that.
  std::vector<FuseRecord> take_back(const ServiceName& service, const IncidentId& incident, bool with_switch,
                                    bool with_action);
  // Why nothing more may be done by itself, for people; empty when it may. `switches`: the action has a switch.
  std::string blown(const ServiceName& service, const FuseLimits& limits, const LedgerRecord* from, bool switches,
                    Instant now) const;
  // When all of it last started anew by a person's word; none in the last day.
  std::optional<Instant> last_reset(const ServiceName& service) const;
  // Whether this incident has already been counted as an action at `rung_began` or later.
  bool counted(const ServiceName& service, const IncidentId& incident, Instant rung_began) const;

 private:
  int count(const ServiceName& service, bool switches, Duration within, Instant now) const;

  std::map<ServiceName, std::vector<FuseRecord>> uses_;
};

}  // namespace rules
