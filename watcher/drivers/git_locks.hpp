#pragma once

#include <string>

#include "rules/base/time.hpp"

namespace watcher {

// A git that works writes beside what it replaces a file NAME.lock, and whoever finds one gives up. One that died
// leaves it there.

// The lock that keeps any other git from a checkout, when it has been there for that long; empty: there is none.
// `git_dir` is the full path of the folder that git calls so.
std::string lock_on_checkout(const std::string& git_dir, rules::Duration for_long, rules::Instant now);

// The same that keeps changes from being stashed, and hinders nobody who has none.
std::string lock_on_stash(const std::string& git_dir, rules::Duration for_long, rules::Instant now);

}  // namespace watcher
