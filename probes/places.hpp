#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rules/base/time.hpp"

namespace probes {

// Polls stand at places in their interval, at least this far apart, and so share wake-ups, as the kernel's timer slack
// makes timers do: a wake-up finds every cache cold and costs as much as several polls.
inline constexpr rules::Duration place_length = std::chrono::milliseconds(50);

// How many places there are in an interval for so many targets: as few as let 25 polls share one, from 4 to 20. More
// would wait for each other, which shows in how long they take.
std::int64_t places_for(std::size_t targets);

// The same for a target on every machine and in every run.
std::uint64_t place_hash(std::string_view probe, std::size_t instance);

// The target's place in the `length` from now on; targets are spread evenly over so many places at most. A length with
// room for less than two places is used to the nanosecond.
rules::Instant place_within(std::uint64_t hash, rules::Instant now, rules::Duration length, std::int64_t places);

// How long it is until the next time that is a whole number of steps since the epoch, up to one whole step: whoever
// does something now and then does it at such times, and shares their wake-ups.
rules::Duration until_next(rules::Instant now, rules::Duration step);

// So much before its place a page of metrics is asked for, if there are places: what it costs an application must not
// slow an answer of its that is timed.
rules::Duration page_aside(rules::Duration interval);

}  // namespace probes
