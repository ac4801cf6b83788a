#pragma once

#include <cstddef>

#include "rules/base/names.hpp"
#include "rules/base/shared_text.hpp"
#include "rules/base/time.hpp"

namespace rules {

// What deciding must know of a probe: how often its samples come, and when they are too old.
struct ProbeShape {
  ProbeName name;
  std::size_t instances = 1;  // number of urls
  Duration interval = std::chrono::seconds(5);
  Duration max_gap = std::chrono::milliseconds(12500);  // default 2.5 x interval
  SharedText source;  // what it asks and how, as text: another text is another measurement under the same name
};

}  // namespace rules
