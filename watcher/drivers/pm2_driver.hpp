#pragma once

#include <memory>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/git_driver.hpp"

namespace watcher {

// A service that pm2 runs from a git checkout: the git driver switches it, pm2 restarts it. What runs is the commit
// that was checked out when its processes were started.
std::unique_ptr<Driver> make_pm2_driver(const rules::ServiceName& service, const Pm2Driver& config,
                                        const std::string& state_dir, rules::Duration switch_limit,
                                        const probes::Clock& clock);

}  // namespace watcher
