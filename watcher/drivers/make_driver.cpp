#include <array>

#include "probes/key.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

namespace {

// In the order in which they are told. A driver has one line here, and is an alternative of DriverKind.
std::array<probes::Variety, 7> all_drivers() {
  return {CommandDriver::variety(),         GitDriver::variety(),
          probes::later_variety("compose"), probes::later_variety("kubernetes"),
          probes::later_variety("systemd"), probes::later_variety("pm2"),
          probes::later_variety("ci")};
}

struct Maker {
  const DriverSection& section;
  const std::string& state_dir;
  const probes::Clock& clock;

  std::unique_ptr<Driver> operator()(std::monostate) const { return nullptr; }
  std::unique_ptr<Driver> operator()(const auto& driver) const { return driver.make(section, state_dir, clock); }
};

}  // namespace

std::span<const probes::Variety> driver_kinds() {
  static const std::array<probes::Variety, 7> kinds = all_drivers();
  return kinds;
}

std::unique_ptr<Driver> make_driver(const DriverSection& section, const std::string& state_dir,
                                    const probes::Clock& clock) {
  return std::visit(Maker{section, state_dir, clock}, section.driver);
}

}  // namespace watcher
