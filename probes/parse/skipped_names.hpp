#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace probes {

// The last names of a page that nobody wants, each with the character after it, so that it is whole. Most of a page's
// lines have the name of the line before, and those of a histogram have three in turn.
class SkippedNames {
 public:
  // The line's first bytes, a name and what follows it, are of no use to anybody.
  void add(std::string_view text);
  // Whether the line, which must go on behind it, begins with one of them; if so that one is expected next.
  bool begin(std::string_view line);

  // The lines that begin with such a name and end in the way in which nearly all samples end, one after another.
  struct Passed {
    const char* next;  // where the first other line begins, or one of which no end was seen: the last few bytes are
                       // not looked at
    std::size_t lines = 0;
  };
  Passed pass(const char* at, const char* end);

 private:
  std::array<std::string, 4> names_;
  std::size_t expected_ = 0;
};

}  // namespace probes
