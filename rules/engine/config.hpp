#pragma once

#include "rules/base/shared_list.hpp"
#include "rules/incidents/plan.hpp"
#include "rules/incidents/service_spec.hpp"
#include "rules/signals/probe_shape.hpp"
#include "rules/signals/signal_spec.hpp"
#include "rules/sustain/rule_spec.hpp"

namespace rules {

// All that deciding needs of the configuration. Names are resolved and checked by whoever builds it. Copies share what
// they have in common.
struct CoreConfig {
  Mode mode = Mode::act;  // watcher.mode caps every rule's
  SharedList<ProbeShape> probes;
  SharedList<SignalSpec> signals;
  SharedList<RuleSpec> rules;
  SharedList<ServiceSpec> services;
  SharedList<ActionSpec> actions;
};

}  // namespace rules
