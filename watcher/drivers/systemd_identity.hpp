#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "watcher/drivers/systemd_link.hpp"
#include "watcher/drivers/systemd_runner.hpp"

namespace watcher {

// Of a unit that is in this state it is known which release it was started from. A link that was changed since has not
// changed that.
struct SystemdKnown {
  std::string state;
  std::string release;

  friend bool operator==(const SystemdKnown&, const SystemdKnown&) = default;
};
using SystemdMemory = std::map<std::string, SystemdKnown>;  // by the unit's name

// Below which releases the unit's processes have their working directory or their program: those that can be seen.
// `unseen`: the processes whose owners alone may look at them.
struct ReleasesSeen {
  std::set<std::string> releases;
  std::vector<pid_t> unseen;
};
ReleasesSeen releases_seen(const SystemdUnit& unit, const std::string& releases);

// From which release a unit runs, or, where it does not run, was started last, or was to be.
struct UnitRuns {
  std::string release;  // empty: see `error`
  std::string error;    // for people
  bool absent = false;  // nothing of it runs: it is between stop and start
  bool differ = false;  // its processes run from several
};
// `tried`: when it was to be started last, as far as is known besides.
UnitRuns unit_runs(const SystemdUnit& unit, const ReleaseLink& link, const ReleasesSeen& seen,
                   const SystemdMemory& memory, rules::Instant tried = {});

// What there is now.
struct SystemdLook {
  std::string error;    // for people; empty: `revision` runs
  bool differ = false;  // the error is that they run from several releases
  bool absent = false;
  std::string stopped;  // for people; empty: not all of the units were stopped by somebody
  std::string revision;
  std::string said_by{};        // the first unit that runs from it
  std::string behind{};         // a unit that does not run while others do, for people, with what to do; empty: none
  std::string error_if_none{};  // where no other unit does
  ReleaseLink link;
  std::vector<SystemdUnit> units;
};

// Looks at the link, the units and their processes, and remembers what was found of each.
asio::awaitable<SystemdLook> look_at_units(const SystemdRunner& runner, SystemdMemory& memory);

}  // namespace watcher
