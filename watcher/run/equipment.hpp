#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "watcher/config/config.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// What the services of one reading of the configuration are read and switched with. A reload makes another; steps that
// run keep the one that they began with. There are a thousand of them and hardly ever is one looked for: no map.
class Equipment {
 public:
  explicit Equipment(std::shared_ptr<const Config> config) : config_(std::move(config)) {}

  // Of the next of the configuration's `drivers`; nullptr: it has none.
  void add(std::shared_ptr<Driver> driver) { drivers_.push_back(std::move(driver)); }

  // Which of the configuration's `drivers` it is; nothing: there is no such service.
  std::optional<std::size_t> place_of(const rules::ServiceName& service) const;
  // nullptr: none.
  std::shared_ptr<Driver> driver_of(const rules::ServiceName& service) const;
  // Where the commands of its plans run that say nothing else; empty: where we do.
  std::string dir_of(const rules::ServiceName& service) const;

 private:
  std::shared_ptr<const Config> config_;
  std::vector<std::shared_ptr<Driver>> drivers_;
};

}  // namespace watcher
