#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/drivers/systemd_runner.hpp"
#include "watcher/drivers/systemd_unit.hpp"

namespace watcher {

// What systemd's own journal says of stops. It knows more than the properties of a unit: those of a unit to which
// nothing refers are forgotten when it stops, and a unit that had to be killed has failed, whoever asked for the stop.
// The messages are those of systemd's catalog (`journalctl --list-catalog`); journald itself says that pid 1 wrote them
// (systemd.journal-fields(7)), so that an application cannot.
//
// From the newest one backwards, somebody stopped a unit where
//   a stop job began (de5b426a...),
//   and nothing newer says that it was to be started again (7d4958e8..., be02cf68..., 0e4284a0...),
//   and nothing older that it had ended by itself before (7ad2d189..., d9b373ed...),
//   as far back as its start was done (39f53479...).
// A stop while it was starting, or between two of its own restarts, is none: it did not run then.

struct UnitStory {
  std::optional<bool> stopped{};  // nothing: the journal does not tell
  rules::Instant tried{};         // when it was to be started last; the epoch: nobody knows
};
using UnitStories = std::map<std::string, UnitStory>;  // by the unit's name

// From what `journalctl --output=json --reverse` printed; lines that are no such messages are passed over.
UnitStories stories_in(std::string_view journal);

// What the journal tells of these units, if none of them runs any more or will by itself; else, and where the journal
// cannot be read, nothing.
boost::asio::awaitable<UnitStories> read_stories(const SystemdRunner& runner, const std::vector<SystemdUnit>& units);

// Whether somebody stopped the unit, and that is why it does not run: by the journal, or where that tells nothing of
// it, by is_stopped().
bool was_stopped(const SystemdUnit& unit, const UnitStories& stories);

}  // namespace watcher
