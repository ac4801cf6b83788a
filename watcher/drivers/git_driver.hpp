#pragma once

#include <memory>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/git_runner.hpp"

namespace watcher {

// A service that is a working tree: a commit is checked out, built and restarted. What it must remember lies in
// STATE_DIR/git. `switch_limit` holds where the step has no limit of its own. A restart whose `proof` fails has failed.
std::unique_ptr<Driver> make_git_driver(const rules::ServiceName& service, const GitDriver& config,
                                        const std::string& state_dir, rules::Duration switch_limit,
                                        const probes::Clock& clock, GitProof proof);

}  // namespace watcher
