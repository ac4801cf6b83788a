#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "rules/engine/view.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// What a rollback by hand would do, with what people want to know before they say yes.
struct RollbackPlan {
  rules::PlanByHand what;
  std::vector<std::string> taken_back;           // commits, the newest first; empty: not known
  std::map<std::string, rules::Duration> usual;  // of usual_lengths()
};

// How long each step took when it succeeded in earlier incidents, the median, by what it is; a switch wherever it went.
std::map<std::string, rules::Duration> usual_lengths(const std::vector<rules::StepRecord>& past);

// How much of the past is looked at, and how many commits are named.
inline constexpr std::size_t incidents_looked_at = 30;
inline constexpr std::size_t commits_shown = 20;

std::string plan_json(const RollbackPlan& plan);

}  // namespace watcher
