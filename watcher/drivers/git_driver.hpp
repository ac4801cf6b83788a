#pragma once

#include <memory>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// A service that is a working tree: a commit is checked out, built and restarted. What it must remember lies in
// STATE_DIR/git.
std::unique_ptr<Driver> make_git_driver(const rules::ServiceName& service, const GitDriver& config,
                                        const std::string& state_dir, const probes::Clock& clock);

}  // namespace watcher
