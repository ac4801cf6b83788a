#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rules {

// The words of a line as a shell parts them: quotes and backslashes are taken off, and each operator (; | & and
// brackets) or end of a line is a word ";" of its own. Nothing is filled in.
std::vector<std::string> shell_words(std::string_view line);

}  // namespace rules
