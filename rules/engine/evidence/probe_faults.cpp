#include "rules/engine/evidence/probe_faults.hpp"

#include <algorithm>
#include <utility>

namespace rules {

namespace {

constexpr Duration soon = std::chrono::minutes(10);
constexpr Duration steady = std::chrono::minutes(5);

bool is_broken(const Poll& poll) { return poll.fault && poll.up == Up::unknown; }

}  // namespace

bool ProbeFaults::polled(const Poll& poll) {
  if (!poll.fault) note_unread(poll);
  if (!poll.fault) note_missing(poll);
  if (!is_broken(poll)) note_well(poll);
  const auto known = told_.find(poll.probe);
  if (known == told_.end()) return is_broken(poll);
  Told& told = known->second;
  if (is_broken(poll)) {
    told.well_since.reset();
    return !told.is_broken;
  }
  if (!told.is_broken) return false;
  if (!told.well_since) told.well_since = poll.ended;
  return poll.ended - *told.well_since >= told.patience;
}

// It broke, and was well again before people were told.
void ProbeFaults::note_well(const Poll& poll) {
  if (untold_.empty() || untold_.erase({poll.probe, poll.instance}) == 0) return;
  effects_.note("probe_well", {{"probe", poll.probe.text}, {"what", ""}});
}

void ProbeFaults::tell(const Poll& poll, const Concerns& concerns) {
  const std::string& probe = poll.probe.text;
  const auto known = told_.find(poll.probe);
  if (known != told_.end() && known->second.is_broken) {
    Told& told = known->second;
    effects_.note("probe_well", {{"probe", probe}, {"what", ""}});
    effects_.tell_fault("probe " + probe + " measures again", "It was: " + told.what, {}, told.severity,
                        {"probe " + probe, true});
    told.is_broken = false;
    told.well_at = poll.ended;
    return;
  }
  const bool is_again = known != told_.end() && poll.ended - known->second.well_at < soon;
  const std::string& what = poll.fault->what;
  const bool is_first = untold_.insert({poll.probe, poll.instance}).second;
  if (is_first) effects_.note("probe_fault", {{"probe", probe}, {"what", what}});
  if (is_first && !concerns.at_once) return;
  std::erase_if(untold_, [&](const auto& one) { return one.first == poll.probe; });
  effects_.tell_fault("probe " + probe + " cannot measure",
                      what + (concerns.rules.empty() ? "" : "\nNot judged while that lasts: " + concerns.rules), {},
                      concerns.severity, {"probe " + probe});
  told_[poll.probe] = {what, concerns.severity, true, {}, std::nullopt, is_again ? steady : Duration::zero()};
}

std::optional<Severity> ProbeFaults::told_as(const ProbeName& probe) const {
  const auto known = told_.find(probe);
  return known == told_.end() || !known->second.is_broken ? std::nullopt : std::optional(known->second.severity);
}

void ProbeFaults::note_unread(const Poll& poll) {
  const auto known = unread_.find(poll.probe);
  if (known == unread_.end() && poll.unread.lines == 0) return;
  const bool is_new = known == unread_.end();
  std::map<std::size_t, std::size_t>& instances = unread_[poll.probe];
  instances[poll.instance] = poll.unread.lines;
  std::erase_if(instances, [](const auto& one) { return one.second == 0; });
  const bool is_over = instances.empty();
  if (is_over) unread_.erase(poll.probe);
  if (!is_new && !is_over) return;
  effects_.note(is_new ? "unread_lines" : "page_well", {{"probe", poll.probe.text}, {"first", poll.unread.first}});
  effects_.tell_fault(
      "probe " + poll.probe.text +
          (is_new ? ": a part of its page cannot be read" : ": its whole page can be read again"),
      is_new ? std::to_string(poll.unread.lines) +
                   " lines that nothing selects were passed over; what is selected counts. First: " + poll.unread.first
             : "Nothing was missing for the rules meanwhile.",
      {}, Severity::p1, {"page of " + poll.probe.text, is_over});
}

// A field that a hanging disk keeps back. What is missing with the application itself is no fault of the measuring
// path.
void ProbeFaults::note_missing(const Poll& poll) {
  if (poll.missing.empty() && missing_.empty()) return;
  const std::string& probe = poll.probe.text;
  const auto is_fault = [](const Missing& one) { return one.cause != Cause::no_data; };
  const auto first = std::find_if(poll.missing.begin(), poll.missing.end(), is_fault);
  const auto known = missing_.find(poll.probe);
  if (first == poll.missing.end()) {
    if (known == missing_.end()) return;
    effects_.note("probe_well", {{"probe", probe}, {"what", ""}});
    if (known->second)
      effects_.tell_fault("probe " + probe + " measures everything again", "Nothing is missing any more.", {},
                          Severity::p1, {"part of " + probe, true});
    missing_.erase(known);
    return;
  }
  if (known == missing_.end()) {
    effects_.note("probe_fault", {{"probe", probe}, {"what", first->why}});
    missing_.emplace(poll.probe, false);
  } else if (!std::exchange(known->second, true)) {
    effects_.tell_fault("probe " + probe + " cannot measure " + first->field,
                        first->why + "\nWhat else it measures counts all the same.", {}, Severity::p1,
                        {"part of " + probe});
  }
}

std::size_t ProbeFaults::unread_lines(const ProbeName& probe) const {
  const auto known = unread_.find(probe);
  std::size_t lines = 0;
  if (known == unread_.end()) return lines;
  for (const auto& [instance, count] : known->second) lines += count;
  return lines;
}

}  // namespace rules
