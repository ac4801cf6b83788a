#include "rules/engine/acting/by_hand.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rules/engine/acting/target.hpp"

namespace rules {

namespace {

constexpr std::string_view usual_name = "rollback";

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

// `responds_with_implied`: a rule of its responds with what the file does not define.
ActionByHand choice_among(const std::vector<const ActionSpec*>& switching, const ServiceSpec& service,
                          bool responds_with_implied) {
  std::vector<const ActionSpec*> harmless;
  for (const ActionSpec* action : switching) {
    if (action->loses().empty()) harmless.push_back(action);
  }
  if (harmless.size() == 1) return {*harmless.front(), {}};
  if (!switching.empty() && !(harmless.empty() && responds_with_implied)) {
    const std::string why = harmless.empty() ? " none of which undoes code alone" : " which are several";
    return refused("say with --action what is to be done: service " + service.name.text + " has " + shown(switching) +
                   "," + why);
  }
  if (!service.has_driver) return refused("service " + service.name.text + " has no driver");
  return {bare_switch(), {}};
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

ActionsByHand::ActionsByHand(const CoreConfig& config) : config_(&config) {
  std::map<ActionName, const ActionSpec*> actions;
  for (const ActionSpec& action : config_->actions) actions.emplace(action.name, &action);
  std::set<const ActionSpec*> used;
  for (const RuleSpec& rule : config_->rules) {
    for (const ActionName& name : rule.respond) {
      const auto found = actions.find(name);
      responses_.push_back({&rule.service, &name, found == actions.end() ? nullptr : found->second});
      used.insert(responses_.back().action);
      is_usual_used_ = is_usual_used_ || name.text == usual_name;
    }
  }
  // An action's place in the configuration is its place in memory.
  std::stable_sort(responses_.begin(), responses_.end(), [](const Response& a, const Response& b) {
    return *a.service != *b.service ? *a.service < *b.service : std::less<>()(a.action, b.action);
  });
  for (const ActionSpec& action : config_->actions) {
    if (action.switches() && !action.implied && !used.contains(&action)) of_nobody_.push_back(&action);
  }
  const auto usual = actions.find(ActionName(std::string(usual_name)));
  if (usual != actions.end()) usual_ = usual->second;
}

std::span<const ActionsByHand::Response> ActionsByHand::responses_of(const ServiceName& service) const {
  const auto begin = std::partition_point(responses_.begin(), responses_.end(),
                                          [&](const Response& response) { return *response.service < service; });
  const auto end =
      std::find_if(begin, responses_.end(), [&](const Response& response) { return *response.service != service; });
  return {begin, end};
}

ActionByHand ActionsByHand::named_one(const ActionName& name) const {
  std::vector<const ActionSpec*> all;
  for (const ActionSpec& action : config_->actions) {
    if (action.name == name) return {action, {}};
    all.push_back(&action);
  }
  return refused("no action " + name.text + (all.empty() ? "" : "; there are " + shown(all)));
}

ActionByHand ActionsByHand::of(const ServiceSpec& service, const std::optional<ActionName>& named) const {
  if (named) return named_one(*named);
  std::vector<const ActionSpec*> switching;
  bool responds_with_usual = false;
  for (const Response& response : responses_of(service.name)) {
    responds_with_usual = responds_with_usual || response.name->text == usual_name;
    const ActionSpec* const action = response.action;
    const bool is_known = !switching.empty() && switching.back() == action;
    if (action != nullptr && action->switches() && !action->implied && !is_known) switching.push_back(action);
  }
  const bool is_implied = usual_ != nullptr && usual_->implied;
  // The plan of another service is not this one's, whatever it is called.
  const bool is_only_of_others = is_usual_used_ && !responds_with_usual;
  if (usual_ != nullptr && !is_implied && !is_only_of_others) {
    if (usual_->loses().empty()) return {*usual_, {}};
    return refused("action " + shown(*usual_) + ", which is done by hand only when it is named: --action rollback");
  }
  // What its rules respond with, else what is left to people alone.
  if (switching.empty() && !responds_with_usual) switching = of_nobody_;
  return choice_among(switching, service, is_implied && responds_with_usual);
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
  const ActionByHand chosen = ActionsByHand(config).of(service, std::nullopt);
  const bool lacks_backup = chosen.action && !why_no_backup(*chosen.action, revisions, running, "").empty();
  if (!chosen.action || lacks_backup) {
    text += " --action NAME";
  } else if (!target_by_hand(request, *chosen.action, service, revisions, running).refused.empty()) {
    text += " --to REVISION";
  }
  return text + "` acts now";
}

}  // namespace rules
