#include <algorithm>

#include "rules/engine/service.hpp"

// Of a service with several drivers people hear when it would be rolled back by a slower one, or when fewer are left.

namespace rules {

namespace {

std::string refusals_of(const std::vector<DriverReadiness>& drivers) {
  std::string out;
  for (const DriverReadiness& one : drivers) {
    if (!one.why_not.empty()) out += (out.empty() ? "" : "; ") + one.driver + ": " + one.why_not;
  }
  return out;
}

std::string unready_of(const std::vector<DriverReadiness>& drivers) {
  std::string out;
  for (const DriverReadiness& one : drivers) {
    if (!one.why_not.empty()) out += (out.empty() ? "" : ", ") + one.driver;
  }
  return out;
}

}  // namespace

void Service::note_drivers(const std::vector<DriverReadiness>& drivers) {
  for (const DriverReadiness& one : drivers) {
    const auto is_same = [&](const DriverReadiness& known) { return known == one; };
    const bool is_known = std::any_of(readiness.drivers.begin(), readiness.drivers.end(), is_same);
    if (!is_known) {
      shared_.measuring.effects.note(one.why_not.empty() ? "driver_ready" : "driver_not_ready",
                                     {{"service", name().text}, {"driver", one.driver}, {"reason", one.why_not}});
    }
  }
  readiness.drivers = drivers;
}

// That none of them could is told as what it is.
void Service::tell_of_drivers() {
  const std::vector<DriverReadiness>& drivers = readiness.drivers;
  const auto goes_by =
      std::find_if(drivers.begin(), drivers.end(), [](const DriverReadiness& one) { return one.why_not.empty(); });
  if (goes_by == drivers.end() || incident_ || evidence_.is_deploying()) return;
  const std::string unready = unready_of(drivers);
  if (unready == readiness.drivers_told) return;
  readiness.drivers_told = unready;
  const std::string what = name().text;
  if (unready.empty()) {
    shared_.measuring.effects.tell_fault(what + ": each of its drivers could roll it back again",
                                         "A rollback would go by " + goes_by->driver + ".", spec_.name, Severity::p2,
                                         {what + " drivers", true});
    return;
  }
  const bool is_slower = goes_by != drivers.begin();
  shared_.measuring.effects.tell_fault(is_slower ? what + " would be rolled back by " + goes_by->driver + " only"
                                                 : what + ": fewer drivers could roll it back",
                                       "A rollback would go by " + goes_by->driver + ". " + refusals_of(drivers),
                                       spec_.name, Severity::p2, {what + " drivers"});
}

}  // namespace rules
