#pragma once

#include <memory>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// A service of which commands say what runs and switch it: identify prints the revision as its first line, ready
// exits with 0 when a switch could be done, switch does it.
std::unique_ptr<Driver> make_command_driver(const rules::ServiceName& service, const CommandDriver& config,
                                            rules::Duration switch_limit, const probes::Clock& clock);

}  // namespace watcher
