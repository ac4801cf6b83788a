#pragma once

#include <string>

#include "watcher/config/config.hpp"

namespace watcher {

// The probe called health, as the short form calls it, says of the whole service whether it is up; where none is called
// so, the only one of type http (no journey) or tcp that the service's rules ask to be up, that its plans are verified
// by, or that there is.
void name_health(Config& config);

// Which probe that is, and what it is for, for people.
std::string said_of_health(const rules::ServiceSpec& service);

}  // namespace watcher
