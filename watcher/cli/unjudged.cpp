#include <algorithm>

#include "watcher/cli/check_online.hpp"

namespace watcher {

std::vector<OnlineFinding> unjudged_services(const Config& config) {
  std::vector<OnlineFinding> out;
  const std::vector<rules::RuleSpec>& rules = config.core.rules;
  for (const rules::ServiceSpec& service : config.core.services) {
    const auto judges = [&](const rules::RuleSpec& rule) { return rule.service == service.name; };
    if (std::any_of(rules.begin(), rules.end(), judges)) continue;
    out.push_back({OnlineFinding::Kind::advice, "service " + service.name.text,
                   "no rule judges it, so nothing is done by itself: `rollbackd rollback " + service.name.text +
                       "` is what is left; write rules = [\"error_rate > 5% for 5m\", \"down for 30s\"]"});
  }
  return out;
}

}  // namespace watcher
