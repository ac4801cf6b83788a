#pragma once

#include <memory>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// A service that is a Deployment of Kubernetes. What it must remember lies in STATE_DIR/kubernetes.
std::unique_ptr<Driver> make_kubernetes_driver(const rules::ServiceName& service, const KubernetesDriver& config,
                                               rules::Duration switch_limit, const std::string& state_dir,
                                               const probes::Clock& clock);

}  // namespace watcher
