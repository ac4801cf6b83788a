#include <utility>
#include <vector>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/ladder.hpp"

// Mode observe is there to be trusted one day: people are told what would have been done without it.

namespace rules {

namespace {

// Those that are bad, as if no mode kept them from anything; `is_kept` says whether one did.
std::vector<RuleSpec> as_if_free(const IncidentRecord& incident, const Surroundings& in, Mode cap, bool& is_kept) {
  std::vector<RuleSpec> out;
  for (const JoinedRule& joined : incident.rules) {
    const WatchedRule* rule = in.evidence.find(joined.rule);
    if (rule == nullptr) continue;
    RuleSpec freed = rule->spec();
    if (freed.mode == Mode::observe) freed.mode.reset();
    const bool observes = cap == Mode::observe || rule->spec().mode == Mode::observe;
    is_kept = is_kept || (observes && mode_of(freed, Mode::act) >= Mode::ask && !rule->has_cleared(in.effects.now()));
    out.push_back(std::move(freed));
  }
  return out;
}

// "rolled back to v1 by action rollback"
std::string deed_of(const ActionSpec& action, const Target& target) {
  if (!action.switches()) return "run action " + action.name.text;
  const bool is_known = target.revision && !target.revision->empty();
  return "rolled back" + (is_known ? " to " + target.revision->text : "") + " by action " + action.name.text;
}

std::string would_have(const Gate& answer, const std::string& deed) {
  switch (answer.kind) {
    case GateKind::go:
      return "would have " + deed;
    case GateKind::ask:
      return "would have asked, because " + answer.why + ", and with a yes have " + deed;
    case GateKind::hold:
      return "would have waited (" + answer.why + ") and then have " + deed;
    case GateKind::tell:
      return "would have told of it and done nothing: " + answer.why;
    case GateKind::close:
      return "would have done nothing (" + std::string(to_string(answer.outcome)) + "): " + answer.why;
  }
  return "";
}

}  // namespace

std::string Incident::would_have_done() const {
  bool is_kept = false;
  const std::vector<RuleSpec> freed = as_if_free(record_, in_, in_.trouble.cap(), is_kept);
  if (!is_kept) return "";
  IncidentRecord as_if = record_;
  as_if.rung = 0;
  as_if.ladder.clear();
  for (const RuleSpec& rule : freed) {
    if (mode_of(rule, Mode::act) >= Mode::ask) as_if.ladder = with_rungs(as_if.ladder, 0, rule.respond, Untried::last);
  }
  const auto first = as_if.ladder.empty() ? plans_.end() : plans_.find(as_if.ladder.front());
  if (first == plans_.end()) return "";
  GateView view = gate_view(as_if, &first->second);
  for (std::size_t i = 0; i < view.rules.size(); ++i) view.rules[i].spec = &freed[i];
  view.cap = view.cap_once_well = Mode::act;
  return would_have(gate(view), deed_of(first->second, view.target));
}

}  // namespace rules
