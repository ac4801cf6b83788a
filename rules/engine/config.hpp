#pragma once

#include <vector>

#include "rules/incidents/plan.hpp"
#include "rules/incidents/service_spec.hpp"
#include "rules/signals/probe_shape.hpp"
#include "rules/signals/signal_spec.hpp"
#include "rules/sustain/rule_spec.hpp"

namespace rules {

// All that deciding needs of the configuration. Names are resolved and checked by whoever builds it.
struct CoreConfig {
  Mode mode = Mode::act;  // watcher.mode caps every rule's
  std::vector<ProbeShape> probes;
  std::vector<SignalSpec> signals;
  std::vector<RuleSpec> rules;
  std::vector<ServiceSpec> services;
  std::vector<ActionSpec> actions;
};

}  // namespace rules
