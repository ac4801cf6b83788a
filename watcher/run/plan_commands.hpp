#pragma once

#include <string>

#include "watcher/config/config.hpp"

namespace watcher {

// Why a step of the plans that the service's rules respond with could not be started now, and what to do, for people;
// empty: all could. Starts nothing.
std::string why_plans_cannot_run(const Config& config, const DriverSection& section);

// The same, or why the host's lock, without which nothing is begun, could not be had by us even if nobody held it.
std::string why_plans_cannot_begin(const Config& config, const DriverSection& section);

}  // namespace watcher
