#include "rules/engine/evidence/probe_faults.hpp"

namespace rules {

namespace {

constexpr Duration soon = std::chrono::minutes(10);
constexpr Duration steady = std::chrono::minutes(5);

bool is_broken(const Poll& poll) { return poll.fault && poll.up == Up::unknown; }

}  // namespace

bool ProbeFaults::polled(const Poll& poll) {
  if (!poll.fault) note_unread(poll);
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

void ProbeFaults::tell(const Poll& poll, const Concerns& concerns) {
  const std::string& probe = poll.probe.text;
  const auto known = told_.find(poll.probe);
  if (known != told_.end() && known->second.is_broken) {
    Told& told = known->second;
    effects_.note("probe_well", {{"probe", probe}, {"what", ""}});
    effects_.tell_fault("probe " + probe + " measures again", "It was: " + told.what, {}, told.severity);
    told.is_broken = false;
    told.well_at = poll.ended;
    return;
  }
  const bool is_again = known != told_.end() && poll.ended - known->second.well_at < soon;
  const std::string& what = poll.fault->what;
  effects_.note("probe_fault", {{"probe", probe}, {"what", what}});
  effects_.tell_fault("probe " + probe + " cannot measure",
                      what + (concerns.rules.empty() ? "" : "\nNot judged while that lasts: " + concerns.rules), {},
                      concerns.severity);
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
             : "Nothing was missing for the rules meanwhile.");
}

std::size_t ProbeFaults::unread_lines(const ProbeName& probe) const {
  const auto known = unread_.find(probe);
  std::size_t lines = 0;
  if (known == unread_.end()) return lines;
  for (const auto& [instance, count] : known->second) lines += count;
  return lines;
}

}  // namespace rules
