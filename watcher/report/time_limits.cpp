#include "watcher/report/time_limits.hpp"

#include <algorithm>
#include <chrono>

#include "rules/base/parse.hpp"

namespace watcher {

std::string took_longer(rules::Duration limit) {
  if (limit <= rules::Duration::zero()) return "had no time left";
  const bool is_long = limit >= std::chrono::seconds(10);
  const auto whole =
      is_long ? std::chrono::floor<std::chrono::seconds>(limit) : std::chrono::floor<std::chrono::milliseconds>(limit);
  return "took longer than " + rules::to_string(whole);
}

std::string waited_text(rules::Instant since, rules::Instant until) {
  const auto whole = std::chrono::round<std::chrono::seconds>(std::max(rules::Duration::zero(), until - since));
  return whole > std::chrono::seconds::zero() ? rules::to_string(whole) : "less than a second";
}

}  // namespace watcher
