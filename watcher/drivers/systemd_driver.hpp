#pragma once

#include <memory>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// A service that is one or several units of systemd, started from a symbolic link to the folder of a release. The
// revision is the folder's name. What it must remember lies in STATE_DIR/systemd.
std::unique_ptr<Driver> make_systemd_driver(const rules::ServiceName& service, const SystemdDriver& config,
                                            const std::string& state_dir, const probes::Clock& clock);

}  // namespace watcher
