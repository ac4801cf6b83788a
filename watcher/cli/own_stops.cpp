#include "watcher/cli/own_stops.hpp"

#include "watcher/drivers/stops_us.hpp"

namespace watcher {

std::vector<OnlineFinding> stops_of_ourselves(const Config& config) {
  std::vector<OnlineFinding> out;
  for (const NamedCommand& command : commands_of(config)) {
    std::string why = why_stops_us(command.argv, {command.whom.dir});
    if (!why.empty()) out.push_back({OnlineFinding::Kind::wrong, command.owner, std::move(why)});
  }
  return out;
}

}  // namespace watcher
