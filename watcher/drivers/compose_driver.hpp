#pragma once

#include <memory>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// A service that is one or several services of a Docker Compose project: their containers are made anew from the images
// and the configuration that ran before. What it must remember lies in STATE_DIR/compose.
std::unique_ptr<Driver> make_compose_driver(const rules::ServiceName& service, const ComposeDriver& config,
                                            const std::string& state_dir, const probes::Clock& clock);

}  // namespace watcher
