#pragma once

#include "rules/engine/acting/dependence.hpp"
#include "rules/engine/acting/host_lock.hpp"
#include "rules/engine/acting/limits.hpp"
#include "rules/engine/acting/neighbours.hpp"
#include "rules/engine/config.hpp"
#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/incident/later.hpp"
#include "rules/engine/own_trouble.hpp"
#include "rules/engine/revisions/revisions.hpp"
#include "rules/incidents/usual_lengths.hpp"

namespace rules {

// What an incident sees, and the doors that it knocks at. It writes no other room's state.
struct Surroundings {
  const CoreConfig& config;
  const ServiceSpec& service;
  const OwnTrouble& trouble;
  const Neighbours& neighbours;
  Evidence& evidence;
  Revisions& revisions;
  Limits& limits;
  LaterChecks& later;
  const Dependence& dependence;
  UsualLengths& usual;
  HostLock& host;
  Effects& effects;
  const bool& steps_held;  // the watcher stops: no step is begun any more
};

}  // namespace rules
