#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "watcher/config/config.hpp"

namespace watcher {

// For drivers of services that must not have a checkout in common, whatever switches it.
inline constexpr const char* shared_checkout_advice =
    "make one service of them, whose processes (pm2) or restart (git) are both";

// The path with its links followed, as far as it is there.
std::filesystem::path real_place(const std::filesystem::path& path);

// What is switched in a checkout: those of its `paths`, none of them: all of the repository. Empty without a `dir`.
std::vector<Ground> checkout_grounds(const std::string& dir, const std::vector<std::string>& paths,
                                     const std::string& advice);

// Those of a checkout among what the section's drivers switch.
std::vector<Ground> checked_out(const DriverSection& section);

// What two services would both switch, and what to do about it, for people; empty: nothing.
std::string what_both_switch(const DriverSection& one, const DriverSection& other);

}  // namespace watcher
