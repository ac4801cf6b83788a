#include "rules/engine/evidence/probe_faults.hpp"

namespace rules {

void ProbeFaults::polled(const Poll& poll) {
  const bool broken = poll.fault && poll.up == Up::unknown;
  if (!poll.fault) note_unread(poll);
  const auto known = told_.find(poll.probe);
  if (broken == (known != told_.end())) return;
  const std::string what = broken ? poll.fault->what : std::string();
  effects_.note(broken ? "probe_fault" : "probe_well", {{"probe", poll.probe.text}, {"what", what}});
  effects_.tell_fault("probe " + poll.probe.text + (broken ? " cannot measure" : " measures again"),
                      broken ? what : "It was: " + known->second);
  if (broken) {
    told_[poll.probe] = what;
  } else {
    told_.erase(known);
  }
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
