#include "rules/engine/acting/by_hand.hpp"

#include <algorithm>
#include <vector>

#include "rules/engine/acting/target.hpp"

namespace rules {

namespace {

const ActionSpec* find(const ActionName& name, const CoreConfig& config) {
  const auto found = std::find_if(config.actions.begin(), config.actions.end(),
                                  [&](const ActionSpec& action) { return action.name == name; });
  return found == config.actions.end() ? nullptr : &*found;
}

bool responds_with(const RuleSpec& rule, const ActionName& action) {
  return std::find(rule.respond.begin(), rule.respond.end(), action) != rule.respond.end();
}

bool is_of(const ActionName& action, const ServiceName& service, const CoreConfig& config) {
  return std::any_of(config.rules.begin(), config.rules.end(),
                     [&](const RuleSpec& rule) { return rule.service == service && responds_with(rule, action); });
}

bool is_used(const ActionName& action, const CoreConfig& config) {
  return std::any_of(config.rules.begin(), config.rules.end(),
                     [&](const RuleSpec& rule) { return responds_with(rule, action); });
}

// The plan of another service is not this one's, whatever it is called.
bool is_only_of_others(const ActionName& action, const ServiceName& service, const CoreConfig& config) {
  return is_used(action, config) && !is_of(action, service, config);
}

// What the file defines to switch this service: what its rules respond with, else what is left to people alone.
std::vector<const ActionSpec*> switching_plans(const ServiceName& service, const CoreConfig& config) {
  std::vector<const ActionSpec*> of_rules;
  std::vector<const ActionSpec*> of_nobody;
  for (const ActionSpec& action : config.actions) {
    if (!action.switches() || action.implied) continue;
    if (is_of(action.name, service, config)) of_rules.push_back(&action);
    if (!is_used(action.name, config)) of_nobody.push_back(&action);
  }
  const bool rules_switch = !of_rules.empty() || is_of(ActionName("rollback"), service, config);
  return rules_switch ? of_rules : of_nobody;
}

// "restore (undoes data)"
std::string shown(const ActionSpec& action) {
  std::string out = action.name.text;
  const std::vector<std::string> lost = action.loses();
  for (const std::string& kind : lost) out += (&kind == &lost.front() ? " (undoes " : " and ") + kind;
  return lost.empty() ? out : out + ")";
}

std::string shown(const std::vector<const ActionSpec*>& actions) {
  std::string out;
  for (const ActionSpec* action : actions) out += (out.empty() ? "" : ", ") + shown(*action);
  return out;
}

ActionSpec bare_switch() {
  StepSpec step;
  step.what = SwitchStep{};
  ActionSpec bare;
  bare.name = ActionName("rollback");
  bare.steps.push_back(std::move(step));
  return bare;
}

ActionByHand refused(std::string why) { return {std::nullopt, std::move(why)}; }

ActionByHand named_one(const ActionName& name, const CoreConfig& config) {
  if (const ActionSpec* found = find(name, config)) return {*found, {}};
  std::vector<const ActionSpec*> all;
  for (const ActionSpec& action : config.actions) all.push_back(&action);
  return refused("no action " + name.text + (all.empty() ? "" : "; there are " + shown(all)));
}

// Which revision belongs to a backup is known of the one alone that was made before what runs came.
std::string why_not_that_backup(const RollbackByHand& request, const ActionSpec& action, const Revisions& revisions,
                                const Revision& running) {
  if (request.backup.empty()) return "";
  const SwitchStep* const step = action.switch_step();
  const bool follows = step != nullptr && step->kind == SwitchTargetKind::at_backup;
  if (!follows && !action.uses_backup()) {
    return "action " + (action.name.text.empty() ? "rollback" : action.name.text) +
           " uses no backup; leave out --backup, or name with --action one that does";
  }
  const LedgerRecord* known = revisions.find(running);
  const bool is_known = known != nullptr && known->backup == request.backup;
  if (!follows || is_known || request.to) return "";
  return "nobody knows which revision belongs to backup " + request.backup + "; name it with --to";
}

}  // namespace

ActionByHand action_by_hand(const ServiceSpec& service, const CoreConfig& config,
                            const std::optional<ActionName>& named) {
  if (named) return named_one(*named, config);
  const ActionName usual_name("rollback");
  const ActionSpec* usual = find(usual_name, config);
  const bool is_implied = usual != nullptr && usual->implied;
  if (usual != nullptr && !is_implied && !is_only_of_others(usual_name, service.name, config)) {
    if (usual->loses().empty()) return {*usual, {}};
    return refused("action " + shown(*usual) + ", which is done by hand only when it is named: --action rollback");
  }
  const std::vector<const ActionSpec*> switching = switching_plans(service.name, config);
  std::vector<const ActionSpec*> harmless;
  for (const ActionSpec* action : switching) {
    if (action->loses().empty()) harmless.push_back(action);
  }
  if (harmless.size() == 1) return {*harmless.front(), {}};
  const bool is_implied_used = is_implied && is_of(usual_name, service.name, config);
  if (!switching.empty() && !(harmless.empty() && is_implied_used)) {
    const std::string why = harmless.empty() ? " none of which undoes code alone" : " which are several";
    return refused("say with --action what is to be done: service " + service.name.text + " has " + shown(switching) +
                   "," + why);
  }
  if (!service.has_driver) return refused("service " + service.name.text + " has no driver");
  return {bare_switch(), {}};
}

ByHand target_by_hand(const RollbackByHand& request, const ActionSpec& action, const ServiceSpec& service,
                      const Revisions& revisions, const Revision& running) {
  std::optional<Revision> to = request.to;
  if (to && !service.has_identity) {
    return {{}, "service " + service.name.text + " has no identity: its command decides where it goes; leave out --to"};
  }
  const SwitchStep* const step = action.switch_step();
  std::string backup = why_no_backup(action, revisions, running, request.backup);
  if (backup.empty()) backup = why_not_that_backup(request, action, revisions, running);
  if (!backup.empty()) return {{}, backup};
  const bool wants_target = step != nullptr && service.has_identity;
  if (wants_target && !to) {
    const Target chosen = chosen_target(*step, running, revisions);
    if (!chosen.revision) return {{}, chosen.why_not + "; name one with --to"};
    to = chosen.revision;
  }
  if (to && !is_safe_in_argv(*to)) return {{}, "revision " + to->text + " is not one that may be passed to a command"};
  if (wants_target && *to == running && !request.force) {
    return {{}, to->text + " runs already; --force switches to it all the same"};
  }
  const std::string bad = to ? why_quarantined(*to, revisions.quarantined(*to, request.alike)) : "";
  if (!bad.empty() && !request.force) return {{}, bad + "; --force rolls to it all the same"};
  return {to.value_or(Revision()), ""};
}

std::string way_by_hand(const ServiceSpec& service, const CoreConfig& config, const Revisions& revisions,
                        const Revision& running) {
  RollbackByHand request;
  request.service = service.name;
  std::string text = "`rollbackd rollback " + service.name.text;
  const ActionByHand chosen = action_by_hand(service, config, std::nullopt);
  const bool lacks_backup = chosen.action && !why_no_backup(*chosen.action, revisions, running, "").empty();
  if (!chosen.action || lacks_backup) {
    text += " --action NAME";
  } else if (!target_by_hand(request, *chosen.action, service, revisions, running).refused.empty()) {
    text += " --to REVISION";
  }
  return text + "` acts now";
}

}  // namespace rules
