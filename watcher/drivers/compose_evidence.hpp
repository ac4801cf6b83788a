#pragma once

#include <vector>

#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/compose_runner.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// What tells of the containers that a switch makes anew: which there are, how they fared (exit code, out of memory,
// restarts, health), the end of what they wrote. Nothing of their environment, which has secrets.
std::vector<EvidenceCommand> compose_evidence(const ComposeRunner& runner, const ComposeLook& look);

}  // namespace watcher
