#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// A request's target, taken apart and percent-decoded.
struct Target {
  std::vector<std::string> path;  // segments
  std::map<std::string, std::string> query;

  // Whether the path is "/api/v1/pause" and so on; "*" stands for any one segment.
  bool is(std::string_view pattern) const;
};

std::optional<Target> parse_target(std::string_view text);

}  // namespace watcher
