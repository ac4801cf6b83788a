#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "rules/base/fault.hpp"
#include "rules/base/names.hpp"
#include "rules/base/series.hpp"
#include "rules/base/time.hpp"

namespace rules {

// What one poll of one target brought. Its samples' time is `ended`.
struct Poll {
  ProbeName probe;
  std::size_t instance = 0;  // which of the probe's `urls`
  Instant started;
  Instant ended;
  Up up = Up::unknown;
  std::optional<Fault> fault;     // set exactly when up is not Up::up
  std::vector<Reading> readings;  // fields of the probe; empty when there is a fault that left nothing to read
};

}  // namespace rules
