#include "rules/engine/acting/by_hand.hpp"

#include <algorithm>

namespace rules {

namespace {

constexpr Duration switch_limit_default = std::chrono::minutes(30);

const ActionSpec* find(const ActionName& name, const CoreConfig& config) {
  const auto found = std::find_if(config.actions.begin(), config.actions.end(),
                                  [&](const ActionSpec& action) { return action.name == name; });
  return found == config.actions.end() ? nullptr : &*found;
}

const ActionSpec* first_that_switches(const ServiceSpec& service, const CoreConfig& config) {
  for (const RuleSpec& rule : config.rules) {
    if (rule.service != service.name) continue;
    for (const ActionName& name : rule.respond) {
      const ActionSpec* action = find(name, config);
      if (action != nullptr && action->switches()) return action;
    }
  }
  const ActionSpec* usual = find(ActionName("rollback"), config);
  return usual != nullptr && usual->switches() ? usual : nullptr;
}

ActionSpec bare_switch() {
  StepSpec step;
  step.what = SwitchStep{};
  step.timeout = switch_limit_default;
  ActionSpec bare;
  bare.name = ActionName("rollback");
  bare.steps.push_back(std::move(step));
  return bare;
}

}  // namespace

std::optional<ActionSpec> action_by_hand(const ServiceSpec& service, const CoreConfig& config,
                                         const std::optional<ActionName>& named) {
  const ActionSpec* found = named ? find(*named, config) : first_that_switches(service, config);
  if (found != nullptr) return *found;
  if (named || !service.has_driver) return std::nullopt;
  return bare_switch();
}

ByHand target_by_hand(const RollbackByHand& request, const ActionSpec& action, const ServiceSpec& service,
                      const Revisions& revisions) {
  std::optional<Revision> to = request.to;
  if (to && !service.has_identity) {
    return {{}, "service " + service.name.text + " has no identity: its command decides where it goes; leave out --to"};
  }
  const bool wants_target = action.switches() && service.has_identity;
  if (wants_target && !to) to = revisions.last_good(revisions.running());
  if (wants_target && !to) return {{}, "no good revision is known to roll back to; name one with --to"};
  if (to && !is_safe_in_argv(*to)) return {{}, "revision " + to->text + " is not one that may be passed to a command"};
  if (wants_target && *to == revisions.running()) return {{}, to->text + " runs already"};
  const LedgerRecord* known = to ? revisions.find(*to) : nullptr;
  const bool quarantined = known != nullptr && known->standing == Standing::bad;
  if (quarantined && !request.force) return {{}, to->text + " is quarantined; --force rolls to it all the same"};
  return {to.value_or(Revision()), ""};
}

}  // namespace rules
