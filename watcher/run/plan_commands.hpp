#pragma once

#include <map>
#include <string>
#include <vector>

#include "watcher/config/config.hpp"

namespace watcher {

// The actions that the rules of each service respond with, in the order of the configuration, which must outlive them.
using Responses = std::map<rules::ServiceName, std::vector<const rules::ActionSpec*>>;
Responses responses_of(const Config& config);

// Why one of these plans could not begin now: a step of it that could not be started, or the host's lock, which could
// not be had by us even if nobody held it. For people, with what to do; empty: all could. Starts nothing.
// `dir`: where those steps run that have no folder of their own.
std::string why_plans_cannot_begin(const std::vector<const rules::ActionSpec*>& plans, const std::string& dir);

}  // namespace watcher
