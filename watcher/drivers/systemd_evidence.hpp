#pragma once

#include <string>
#include <vector>

#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/systemd_runner.hpp"

namespace watcher {

// What systemd and the journal say of the units, which are as they were last seen.
std::vector<EvidenceCommand> systemd_evidence(const SystemdRunner& runner, const std::vector<SystemdUnit>& units);

// Secrets in the environment that their configuration gives them, and in that of their main processes as far as we may
// read it, which has what an EnvironmentFile says.
std::vector<std::string> systemd_secrets(const std::vector<SystemdUnit>& units);

}  // namespace watcher
