#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "rules/engine/view.hpp"

namespace watcher {

// What a rollback by hand would do, with what people want to know before they say yes.
struct RollbackPlan {
  rules::PlanByHand what;
  std::string not_ready;                // why a step of it could not be started now; empty: all could
  std::vector<std::string> taken_back;  // commits, the newest first; empty: not known
  // Where the service has several: the first that could is the one that it goes by. Empty: it has one, or is not ready.
  std::vector<rules::DriverReadiness> drivers{};
  std::vector<std::string> asks_for{};  // a request that the switch makes of another system, a line each
};

inline constexpr std::size_t commits_shown = 20;

std::string plan_json(const RollbackPlan& plan);

}  // namespace watcher
