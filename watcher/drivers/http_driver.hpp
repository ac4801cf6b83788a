#pragma once

#include <memory>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// A service that a workflow of a CI deploys: a switch asks for a run of it and waits for its end. What runs is what
// the application's version endpoint says. What it must remember lies in STATE_DIR/http.
std::unique_ptr<Driver> make_http_driver(const rules::ServiceName& service, const HttpWorkflow& config,
                                         rules::Duration switch_limit, const std::string& state_dir,
                                         const probes::Clock& clock);

}  // namespace watcher
