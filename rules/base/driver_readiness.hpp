#pragma once

#include <string>

namespace rules {

// One of several drivers of a service, as it last said of itself.
struct DriverReadiness {
  std::string driver;   // "compose"
  std::string why_not;  // why it could not switch, for people; empty: it could
  friend bool operator==(const DriverReadiness&, const DriverReadiness&) = default;
};

}  // namespace rules
