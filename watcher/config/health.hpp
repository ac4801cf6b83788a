#pragma once

#include <string>

#include "watcher/config/config.hpp"

namespace watcher {

// The probe called health, as the short form calls it, says of the whole service whether it is up.
void name_health(Config& config);

// Which probe that is, and what it is for, for people.
std::string said_of_health(const rules::ServiceSpec& service);

}  // namespace watcher
