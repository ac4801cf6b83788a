#include "watcher/run/equipment.hpp"

#include <algorithm>

#include "watcher/run/plan_commands.hpp"

namespace watcher {

std::optional<std::size_t> Equipment::place_of(const rules::ServiceName& service) const {
  const std::vector<DriverSection>& all = config_->drivers;
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.service == service; });
  if (found == all.end()) return std::nullopt;
  return static_cast<std::size_t>(found - all.begin());
}

std::shared_ptr<Driver> Equipment::driver_of(const rules::ServiceName& service) const {
  const std::optional<std::size_t> place = place_of(service);
  return place && *place < drivers_.size() ? drivers_[*place] : nullptr;
}

std::string Equipment::dir_of(const rules::ServiceName& service) const {
  const std::optional<std::size_t> place = place_of(service);
  return place ? watcher::dir_of(config_->drivers[*place], *config_) : std::string();
}

}  // namespace watcher
