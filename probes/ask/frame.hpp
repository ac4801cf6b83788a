#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "probes/clock.hpp"
#include "probes/config.hpp"
#include "rules/base/poll.hpp"

namespace probes {

// What polls of all kinds have in common: who asks, when it began and ended, how long it took, what a fault means.
class PollFrame {
 public:
  PollFrame(const ProbeConfig& config, std::size_t instance, const Clock& clock);

  rules::Instant now() const { return clock_.now(); }
  // The finished poll. A fault is prefixed by the probe's name; readings get `duration`.
  rules::Poll finish(rules::Instant started, std::vector<rules::Reading> readings,
                     std::optional<rules::Fault> fault = std::nullopt) const;

 private:
  const Clock& clock_;
  rules::ProbeName name_;
  std::size_t instance_;
  rules::DownOn down_on_;
};

// A probe's own field, interned.
rules::SharedSeriesKey field_key(const char* name);

}  // namespace probes
