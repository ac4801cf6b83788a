#pragma once

#include "rules/conditions/condition.hpp"
#include "rules/conditions/judgement.hpp"
#include "rules/signals/store.hpp"

namespace rules {

// The verdict of a condition over what the store has, by Kleene's logic, with every comparison as evidence. All of
// them are looked at, also where the first decided.
Judgement judge(const Store& store, const Condition& condition, const Scope& scope, Instant at, Part part);

}  // namespace rules
