#pragma once

#include <string>

#include "rules/base/time.hpp"

namespace watcher {

// "took longer than 5m"; where what came before had used all of a time limit that they share, "had no time left".
std::string took_longer(rules::Duration limit);

// How long something was waited for, to the second: "5m3s". Where it was to be waited for until a time that had passed
// before, that is no less than nothing.
std::string waited_text(rules::Instant since, rules::Instant until);

}  // namespace watcher
