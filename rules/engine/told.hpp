#pragma once

#include <string>

#include "rules/base/time.hpp"

namespace rules {

// As people read it.
std::string told(Duration d);   // rounded: 5m, 2m10s, 300ms
std::string about(Duration d);  // to the second
std::string told(Instant t);    // 2026-11-21 02:03:04 UTC
std::string told(double value);

}  // namespace rules
