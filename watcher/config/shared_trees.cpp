#include <string>
#include <vector>

#include "watcher/config/references.hpp"
#include "watcher/drivers/grounds.hpp"

// Services that would switch each other: what one rolls back is what the other runs.

namespace watcher {

void check_nothing_is_shared(Loading& loading) {
  const std::vector<DriverSection>& drivers = loading.config.drivers;
  for (std::size_t i = 1; i < drivers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const std::string what = what_both_switch(drivers[i], drivers[j]);
      if (what.empty()) continue;
      loading.findings.error(loading.service_places[drivers[i].service.text],
                             "service." + drivers[i].service.text + ": would switch what service " +
                                 drivers[j].service.text + " runs, and the other way round: " + what);
      break;
    }
  }
}

}  // namespace watcher
