#include <algorithm>

#include "watcher/cli/check_online.hpp"

namespace watcher {

namespace {

// From the first one on that switches; empty: none does.
std::vector<rules::ActionName> from_the_switch(const rules::RuleSpec& rule, const rules::CoreConfig& core) {
  const auto switches = [&](const rules::ActionName& name) {
    return std::any_of(core.actions.begin(), core.actions.end(),
                       [&](const rules::ActionSpec& action) { return action.name == name && action.switches(); });
  };
  return {std::find_if(rule.respond.begin(), rule.respond.end(), switches), rule.respond.end()};
}

}  // namespace

std::vector<OnlineFinding> unreached_rungs(const Config& config) {
  std::vector<OnlineFinding> out;
  for (const rules::RuleSpec& rule : config.core.rules) {
    const std::vector<rules::ActionName> rungs = from_the_switch(rule, config.core);
    if (rungs.size() < 2) continue;
    std::string behind;
    for (std::size_t i = 1; i < rungs.size(); ++i) behind += (i == 1 ? "" : ", ") + rungs[i].text;
    const std::string& first = rungs.front().text;
    out.push_back({OnlineFinding::Kind::advice, "rule " + rule.name.text,
                   "respond has " + behind + " behind " + first + ", which switches: that is only taken where " +
                       first +
                       " cannot begin (no target, a limit, a deploy mark that forbids it). After a switch that " +
                       "failed or did not help nothing more is done by itself; what has to be done then belongs into " +
                       "[[action." + first + ".on_failure]]"});
  }
  return out;
}

}  // namespace watcher
