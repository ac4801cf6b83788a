#include "watcher/config/health.hpp"

#include <algorithm>

namespace watcher {

namespace {

std::string own_name(const rules::ServiceSpec& service) {
  std::string name = service.name.text + "_health";
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace

void name_health(Config& config) {
  const bool is_single = config.core.services.size() == 1;
  for (rules::ServiceSpec& service : config.core.services) {
    for (const std::string& name : {own_name(service), std::string(is_single ? "health" : "")}) {
      const auto is_named = [&name](const probes::ProbeConfig& probe) { return probe.name.text == name; };
      if (!service.health && std::any_of(config.probes.begin(), config.probes.end(), is_named))
        service.health = rules::ProbeName(name);
    }
  }
}

std::string said_of_health(const rules::ServiceSpec& service) {
  if (service.health)
    return "its health is probe " + service.health->text + ": after a start nothing is judged before that is up";
  return "no probe is its health (one called " + own_name(service) +
         ", or health where there is one service): after a start each rule waits for its own probes to be up";
}

}  // namespace watcher
