#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probes/net/process.hpp"
#include "rules/base/time.hpp"
#include "rules/incidents/records.hpp"
#include "watcher/journal/journal.hpp"

namespace watcher {

// The child of a mutating step. A watcher that is killed leaves it at work: it is written down when it begins, so that
// whoever comes next can tell whether it still is. It is for this boot only, so that it need not survive a power cut.
struct AtWork {
  rules::StepId step;
  probes::ProcessId process;
  rules::Instant until;     // when its time is up, by the wall clock
  rules::Duration limit{};  // that it was given
};

// One line, without its end.
std::string line_of(const AtWork& at_work);
// nullopt when the text does not begin with such a line.
std::optional<AtWork> at_work_in(std::string_view text);

// STATE/at-work. At any moment of a kill the file has what was last written or what was there before. nullopt on
// success.
std::optional<JournalFault> write_at_work(const std::string& state_dir, const AtWork& at_work);
// What a watcher wrote last, if it still runs.
std::optional<AtWork> left_at_work(const std::string& state_dir);

}  // namespace watcher
