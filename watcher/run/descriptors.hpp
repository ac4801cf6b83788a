#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include "watcher/config/config.hpp"
#include "watcher/serve/seats.hpp"

namespace watcher {

// How many descriptors polls, children, the journal and messages may need at the same time.
std::size_t descriptors_needed(const Config& config);

// How many the process may have: its RLIMIT_NOFILE.
std::size_t descriptors_allowed();

// The places that are left for visitors of so many descriptors, or why these are too few, for people. Visitors never
// have what a rollback needs.
std::variant<Places, std::string> places_among(std::size_t allowed, std::size_t needed);

}  // namespace watcher
