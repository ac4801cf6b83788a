#pragma once

#include "rules/engine/config.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

// Steps are told without the secrets that the configuration has anywhere, not only those that a step itself is given:
// a command may have one of them written out.
void hide_secrets(rules::CoreConfig& core, const Config& config);

}  // namespace watcher
