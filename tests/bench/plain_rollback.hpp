#pragma once

#include <utility>

#include "rules/incidents/plan.hpp"

// The action "rollback" that does nothing but switch.
inline rules::ActionSpec plain_rollback() {
  rules::StepSpec step;
  step.what = rules::SwitchStep{};
  rules::ActionSpec rollback;
  rollback.name = rules::ActionName("rollback");
  rollback.steps.push_back(std::move(step));
  return rollback;
}
