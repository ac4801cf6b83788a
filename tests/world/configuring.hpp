#pragma once

#include <string>

#include "dice.hpp"
#include "rules/engine/config.hpp"

namespace sim {

// What a watcher of these services may be configured as. `more` are thrown for what came to these worlds later.
rules::CoreConfig configure(Dice& dice, Dice& more, const std::vector<std::string>& services);
rules::CoreConfig configure_plainly(Dice& dice, const std::string& service);

}  // namespace sim
