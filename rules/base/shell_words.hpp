#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rules {

// The words of a line as a shell parts them: quotes and backslashes are taken off, and each operator (; | & and
// brackets) or end of a line is a word ";" of its own. Nothing is filled in.
std::vector<std::string> shell_words(std::string_view line);

// As a shell has to be given the word: as it is where nothing in it means something there, else in quotes.
std::string shell_word(std::string_view word);

}  // namespace rules
