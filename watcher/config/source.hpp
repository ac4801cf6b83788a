#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/config/findings.hpp"

namespace watcher {

// The file's text, to find the place of something inside a string: a condition's mistake is reported at its column in
// the file, though the condition was read from a TOML string with escapes.
class Source {
 public:
  explicit Source(std::string_view text);  // must outlive it

  // Where byte `offset` of the value stands, for a string whose opening quote is at `begin`.
  Place inside_string(Place begin, std::size_t offset) const;

 private:
  std::string_view text_;
  std::vector<std::size_t> line_starts_;
};

}  // namespace watcher
