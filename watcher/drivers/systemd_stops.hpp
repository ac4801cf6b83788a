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
//   and nothing newer says that it was to be started again (7d4958e8..., be02cf68..., 0e4284a0...), but for a start
//   that failed for another unit, and nothing older that it had ended by itself before (7ad2d189..., d9b373ed...), as
//   far back as its start was done (39f53479...).
// A stop while it was starting, or between two of its own restarts, is none: it did not run then.

struct UnitStory {
  std::optional<bool> stopped{};  // nothing: the journal does not tell
  rules::Instant newest{};        // when the newest of all was written; the epoch, here and below: nobody knows
  rules::Instant tried{};         // when it was to be started last
  rules::Instant started{};       // and when it was
  bool barred = false;            // what it depends on did not come up when it was to be started last
  bool passed_over = false;       // its conditions were not met then
  std::string unmet{};            // which, as systemd names it; empty: it does not
};
using UnitStories = std::map<std::string, UnitStory>;  // by the unit's name

// From what `journalctl --output=json --reverse` printed; lines that are no such messages are passed over.
UnitStories stories_in(std::string_view journal);

// What the journal tells of those of these units that do not run. Nothing where it cannot be read.
boost::asio::awaitable<std::optional<UnitStories>> read_stories(const SystemdRunner& runner,
                                                                const std::vector<SystemdUnit>& units);

// That somebody stopped the unit, and that is why it does not run, for people, with what to do; empty: nobody did, as
// far as is known. By the journal, or where that tells nothing of it, by is_stopped(). What systemd knows no start of
// since the boot nobody has started. `changed_at`: when another release was linked: what ran since then, and was
// stopped with another unit that failed, is not to blame for that.
//
// Nor is what a condition keeps from starting, as ConditionPathExists=!/run/maintenance does: somebody's condition is
// somebody's stop, and another release would not be started either. One that asks for something of the release itself
// (below `of_release`: the releases and the link to one) tells of that release.
std::string why_stopped(const SystemdUnit& unit, const std::optional<UnitStories>& stories, rules::Instant changed_at,
                        const std::vector<std::string>& of_release = {});

}  // namespace watcher
