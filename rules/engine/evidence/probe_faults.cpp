#include "rules/engine/evidence/probe_faults.hpp"

namespace rules {

void ProbeFaults::polled(const Poll& poll) {
  const bool broken = poll.fault && poll.up == Up::unknown;
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

}  // namespace rules
