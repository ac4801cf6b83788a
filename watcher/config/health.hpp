#pragma once

#include <string>

#include "watcher/config/config.hpp"

namespace watcher {

// The probe called health, as the short form calls it, says of the whole service whether it is up; where none is called
// so, the only one that the service's rules ask, besides the host's, if it is of type http (no journey) or tcp.
void name_health(Config& config);

// Which probe that is, and what it is for, for people.
std::string said_of_health(const rules::ServiceSpec& service);

}  // namespace watcher
