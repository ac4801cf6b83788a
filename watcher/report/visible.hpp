#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace watcher {

// What a target or a command said is bytes, and some of them do more to a terminal than to be shown: they move the
// cursor, write to the clipboard (OSC 52), or turn the order of what is read around (the "Trojan Source" characters).
// Everything that people read passes through one of these.

// Valid UTF-8 in which all that a terminal would obey is shown instead: ESC as \e, other control characters but line
// feed and tab as \x07, wide ones and those that change the order or cannot be seen as U+202E. Colours (ESC [ ... m)
// and carriage returns are left out; bytes that are no UTF-8 become U+FFFD.
std::string visible(std::string_view bytes);

// The same for a serialized JSON text, whose value stays what it was: \u202e.
std::string visible_json(std::string_view json);

// How many bytes the UTF-8 character at the text's begin has; 0 when it is none.
std::size_t character_length(std::string_view text);

}  // namespace watcher
