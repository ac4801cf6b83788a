#include "rules/engine/incident/ladder.hpp"

#include <algorithm>

namespace rules {

std::vector<ActionName> with_rungs(const std::vector<ActionName>& ladder, std::size_t tried,
                                   const std::vector<ActionName>& response, Untried where) {
  const auto tried_end = ladder.begin() + static_cast<std::ptrdiff_t>(tried);
  const std::vector<ActionName> waiting(tried_end, ladder.end());
  std::vector<ActionName> out(ladder.begin(), tried_end);
  const auto append = [&](const std::vector<ActionName>& actions) {
    for (const ActionName& action : actions) {
      if (std::find(out.begin(), out.end(), action) == out.end()) out.push_back(action);
    }
  };
  append(where == Untried::first ? response : waiting);
  append(where == Untried::first ? waiting : response);
  return out;
}

bool is_next_of(const std::vector<ActionName>& response, const std::vector<ActionName>& ladder, std::size_t rung) {
  const auto responds = [&](std::size_t at) {
    return at < ladder.size() && std::find(response.begin(), response.end(), ladder[at]) != response.end();
  };
  return !responds(rung) && responds(rung + 1);
}

}  // namespace rules
