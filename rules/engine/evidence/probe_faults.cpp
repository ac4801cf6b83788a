#include "rules/engine/evidence/probe_faults.hpp"

namespace rules {

namespace {

bool is_broken(const Poll& poll) { return poll.fault && poll.up == Up::unknown; }

}  // namespace

bool ProbeFaults::polled(const Poll& poll) {
  if (!poll.fault) note_unread(poll);
  return is_broken(poll) != told_.contains(poll.probe);
}

void ProbeFaults::tell(const Poll& poll, const Concerns& concerns) {
  const std::string& probe = poll.probe.text;
  if (const auto known = told_.find(poll.probe); known != told_.end()) {
    effects_.note("probe_well", {{"probe", probe}, {"what", ""}});
    effects_.tell_fault("probe " + probe + " measures again", "It was: " + known->second.what, {},
                        known->second.severity);
    told_.erase(known);
    return;
  }
  const std::string& what = poll.fault->what;
  effects_.note("probe_fault", {{"probe", probe}, {"what", what}});
  effects_.tell_fault("probe " + probe + " cannot measure",
                      what + (concerns.rules.empty() ? "" : "\nNot judged while that lasts: " + concerns.rules), {},
                      concerns.severity);
  told_[poll.probe] = {what, concerns.severity};
}

std::optional<Severity> ProbeFaults::told_as(const ProbeName& probe) const {
  const auto known = told_.find(probe);
  return known == told_.end() ? std::nullopt : std::optional(known->second.severity);
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
