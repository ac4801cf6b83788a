#pragma once

#include "rules/base/time.hpp"

namespace probes {

// Tells the time on the watcher's timeline. The one implementation that reads real clocks is in watcher/.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual rules::Instant now() const = 0;
};

}  // namespace probes
