#include "watcher/drivers/command_driver.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/git_driver.hpp"

namespace watcher {

std::unique_ptr<Driver> make_driver(const DriverSection& section, const std::string& state_dir,
                                    const probes::Clock& clock) {
  if (const auto* const command = std::get_if<CommandDriver>(&section.driver)) {
    return make_command_driver(section.service, *command, section.timeout, clock);
  }
  if (const auto* const git = std::get_if<GitDriver>(&section.driver)) {
    return make_git_driver(section.service, *git, state_dir, clock);
  }
  return nullptr;
}

}  // namespace watcher
