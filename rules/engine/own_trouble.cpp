#include "rules/engine/own_trouble.hpp"

#include <algorithm>
#include <string_view>

namespace rules {

namespace {

Mode default_mode(Severity severity) {
  switch (severity) {
    case Severity::p0:
    case Severity::p1:
      return Mode::act;
    case Severity::p2:
      return Mode::ask;
    case Severity::p3:
      return Mode::notify;
  }
  return Mode::notify;
}

// "save a decision: disk I/O error": what comes of it may be another thing each time.
std::string_view cause_of(const SelfDegraded& degraded) {
  constexpr std::string_view then = ": ";
  const std::string_view reason = degraded.reason;
  const std::size_t at = reason.find(then);
  return at == reason.npos ? reason : reason.substr(at + then.size());
}

}  // namespace

void OwnTrouble::heard(const SelfDegraded& degraded) {
  if (degraded.reason.empty()) {
    const std::size_t over = std::erase_if(now_, [](const SelfDegraded& one) { return !one.observe_only; });
    effects_.note("well_again");
    if (over > 0)
      effects_.tell_fault("rollbackd is well again", "It may act again.", {}, Severity::p1, {"rollbackd", true});
    return;
  }
  const auto is_same = [&](const SelfDegraded& one) { return one.reason == degraded.reason; };
  // What cannot be written for one cause is told once, whatever it was to say.
  const auto is_of_same_cause = [&](const SelfDegraded& one) { return cause_of(one) == cause_of(degraded); };
  const bool is_known = std::any_of(now_.begin(), now_.end(), is_of_same_cause);
  std::erase_if(now_, is_same);
  now_.push_back(degraded);
  effects_.note("degraded", {{"reason", degraded.reason}});
  if (!is_known)
    effects_.tell_fault("rollbackd is in trouble itself", degraded.reason, {}, Severity::p1, {"rollbackd"});
}

bool OwnTrouble::accept_state() {
  return std::erase_if(now_, [](const SelfDegraded& one) { return one.observe_only; }) > 0;
}

Mode OwnTrouble::cap() const { return asks_because().empty() ? cap_once_well() : std::min(cap_once_well(), Mode::ask); }

Mode OwnTrouble::cap_once_well() const {
  const auto observes = [](const SelfDegraded& one) { return one.observe_only; };
  return std::any_of(now_.begin(), now_.end(), observes) ? Mode::observe : configured_;
}

std::string OwnTrouble::asks_because() const {
  for (const SelfDegraded& one : now_) {
    if (one.ask_instead_of_act) return one.reason;
  }
  return "";
}

std::string OwnTrouble::observes_because() const {
  for (const SelfDegraded& one : now_) {
    if (one.observe_only) return one.reason;
  }
  return "";
}

bool OwnTrouble::blinds() const {
  return std::any_of(now_.begin(), now_.end(),
                     [](const SelfDegraded& one) { return !one.ask_instead_of_act && !one.observe_only; });
}

std::vector<std::string> OwnTrouble::reasons() const {
  std::vector<std::string> out;
  for (const SelfDegraded& one : now_) out.push_back(one.reason);
  return out;
}

Mode mode_of(const RuleSpec& rule, Mode cap) {
  const Mode mode = std::min(cap, rule.mode.value_or(default_mode(rule.severity)));
  return rule.respond.empty() ? std::min(mode, Mode::notify) : mode;
}

}  // namespace rules
