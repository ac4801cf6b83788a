#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rules/base/time.hpp"

namespace probes {

// Polls stand at places a twentieth of their interval apart, and at least this far, and so share wake-ups, as the
// kernel's timer slack makes timers do: a wake-up finds every cache cold and costs as much as several polls.
inline constexpr rules::Duration place_length = std::chrono::milliseconds(50);

// The same for a target on every machine and in every run.
std::uint64_t place_hash(std::string_view probe, std::size_t instance);

// The target's place in the `length` from now on; targets are spread over it evenly. A length with room for less than
// two places is used to the nanosecond.
rules::Instant place_within(std::uint64_t hash, rules::Instant now, rules::Duration length);

}  // namespace probes
