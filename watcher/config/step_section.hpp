#pragma once

#include <string>

#include "watcher/config/sections.hpp"

namespace watcher {

// Where a step stands: its defaults depend on it (SPEC 3).
enum class StepPosition { before_switch, from_switch_on, no_switch, afterwards };

// Whether the table is a `switch` step, before it is read.
bool is_switch(const toml::table& step);

// Reads one [[action.NAME.step]]; nullopt when it is not clear what it is to do.
std::optional<rules::StepSpec> read_step(Loading& loading, const toml::table& table, const std::string& owner,
                                         StepPosition position);

}  // namespace watcher
