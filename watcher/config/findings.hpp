#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/config/config.hpp"

namespace watcher {

// A place in the file, both from 1; columns count code points. Line 0 is the file as a whole.
struct Place {
  std::size_t line = 0;
  std::size_t column = 0;
};

// Collects what is wrong, in any order.
class Findings {
 public:
  void error(Place place, std::string what);
  void warning(Place place, std::string what);
  bool has_errors() const;
  // By place, each finding once.
  std::vector<Finding> sorted() const;

 private:
  std::vector<Finding> found_;
};

// The name among `known` that was probably meant by `written`; empty when none is near.
std::string_view nearest(std::string_view written, const std::vector<std::string>& known);

// The same, but empty when two names are equally near.
std::string_view only_nearest(std::string_view written, const std::vector<std::string>& known);

// `; did you mean "near"?`, or nothing when no known name is near.
std::string did_you_mean(std::string_view written, const std::vector<std::string>& known);

}  // namespace watcher
