#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "probes/clock.hpp"
#include "probes/config.hpp"
#include "rules/base/poll.hpp"

namespace probes {

namespace asio = boost::asio;

class MemoryBudget;
class Resolver;
struct ChildSpec;

// What all probes of one watcher share.
struct Surroundings {
  const Clock& clock;
  Resolver& resolver;
  // Looks at a command before it is run: why it must not be; nothing when it may. nullptr: any may.
  std::optional<std::string> (*look_at)(ChildSpec& command) = nullptr;
  MemoryBudget* memory = nullptr;  // nullptr: what targets make us keep is not counted
};

// One target of one probe. Keeps its connection between polls.
class Probe {
 public:
  virtual ~Probe() = default;
  // Asks once. Always returns within the probe's time-out (plus the time to cancel), never throws for anything that
  // the target does; readings include `duration` (seconds). Not to be called again before it has returned.
  virtual asio::awaitable<rules::Poll> poll() = 0;
};

// Makes the probes of one configuration entry, one for each instance.
// Surroundings must outlive them.
std::vector<std::unique_ptr<Probe>> make_probes(const ProbeConfig& config, Surroundings around);

}  // namespace probes
