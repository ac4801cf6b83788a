#pragma once

#include <boost/json/string.hpp>
#include <string_view>

#include "rules/engine/commands.hpp"

namespace watcher {

// What every type of notifier says of a message.

// Text that a message may have: without control characters, cut to 16 KiB.
boost::json::string message_text(std::string_view bytes);
// The leftmost comparison that decided: the first bad one, else the first with a value; nullptr when there is none.
const rules::Comparison* decisive(const rules::Tell& tell);

}  // namespace watcher
