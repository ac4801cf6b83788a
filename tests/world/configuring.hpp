#pragma once

#include <string>

#include "dice.hpp"
#include "rules/engine/config.hpp"

namespace sim {

// What a watcher of these services may be configured as. `change` makes a reload of it: thresholds stay, times differ.
rules::CoreConfig configure(Dice& dice, const std::vector<std::string>& services);
rules::CoreConfig configure_plainly(Dice& dice, const std::string& service);

}  // namespace sim
