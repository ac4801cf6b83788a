#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace watcher {

// Files of lines, plain or compressed, a piece at a time: a file of samples is much larger than what we may hold.

// Bytes of a line; a longer one, which is none of ours, is passed over.
inline constexpr std::size_t line_max = 512 * 1024;

using TakeLine = std::function<bool(std::string_view line)>;  // false: enough

// Every whole line, in order; the last one may lack its end when a crash cut it, and is left out. What cannot be read
// ends the file.
void each_line(const std::string& path, const TakeLine& take);
void each_compressed_line(const std::string& path, const TakeLine& take);

// Writes the whole lines of the one, and `last` after them, compressed into the other. False: errno says why, and the
// other may be there in part.
bool compress_lines(const std::string& from, const std::string& into, std::string_view last);

}  // namespace watcher
