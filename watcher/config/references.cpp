#include "watcher/config/references.hpp"

#include <algorithm>

#include "watcher/config/fields.hpp"

namespace watcher {

namespace {

std::vector<std::string> list(const std::set<std::string>& names) { return {names.begin(), names.end()}; }

const probes::ProbeConfig* probe_named(const Loading& loading, const std::string& name) {
  for (const probes::ProbeConfig& probe : loading.config.probes) {
    if (probe.name.text == name) return &probe;
  }
  return nullptr;
}

void check_field(Loading& loading, const PlacedCondition& placed, const rules::FieldRef& field, std::size_t offset) {
  const probes::ProbeConfig* const probe = probe_named(loading, field.probe.text);
  if (probe == nullptr || has_field(*probe, field.field)) return;
  const std::vector<std::string> known = fields_of(*probe);
  std::string all;
  for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
  loading.findings.error(loading.place_of(placed.written, offset),
                         placed.owner + ": probe \"" + field.probe.text + "\" has no field \"" + field.field + "\"" +
                             did_you_mean(field.field, known) + " (it has " + all + ")");
}

void check_probe(Loading& loading, const PlacedCondition& placed, const std::string& name, std::size_t offset) {
  if (loading.probe_names.contains(name)) return;
  std::string hint = did_you_mean(name, list(loading.probe_names));
  if (hint.empty()) hint = "; define [probe." + name + "]";
  loading.findings.error(loading.place_of(placed.written, offset),
                         placed.owner + ": there is no probe \"" + name + "\"" + hint);
}

void check_signal(Loading& loading, const PlacedCondition& placed, const std::string& name, std::size_t offset) {
  if (loading.signal_names.contains(name)) return;
  std::string hint = did_you_mean(name, list(loading.signal_names));
  if (loading.probe_names.contains(name)) hint = "; did you mean a field of the probe, such as " + name + ".up?";
  if (hint.empty()) hint = "; define [signal." + name + "]";
  loading.findings.error(loading.place_of(placed.written, offset),
                         placed.owner + ": there is no signal \"" + name + "\"" + hint);
}

void check_condition(Loading& loading, const PlacedCondition& placed) {
  check_quantities(loading, placed);
  if (placed.condition.references().empty())
    loading.findings.error(loading.place_of(placed.written, 0),
                           placed.owner + ": measures nothing; name a signal, or a field of a probe such as health.up");
  for (const rules::Condition::Reference& reference : placed.condition.references()) {
    if (const auto* signal = std::get_if<rules::SignalRef>(&reference.to)) {
      check_signal(loading, placed, signal->signal.text, reference.offset);
    } else if (const auto* field = std::get_if<rules::FieldRef>(&reference.to)) {
      check_probe(loading, placed, field->probe.text, reference.offset);
      check_field(loading, placed, *field, reference.offset);
    } else if (const auto* restarts = std::get_if<rules::RestartsRef>(&reference.to)) {
      check_probe(loading, placed, restarts->probe.text, reference.offset);
    }
  }
}

const rules::ServiceSpec* service_named(const Loading& loading, const rules::ServiceName& name) {
  for (const rules::ServiceSpec& service : loading.config.core.services) {
    if (service.name == name) return &service;
  }
  return nullptr;
}

const rules::ActionSpec* action_named(const Loading& loading, const rules::ActionName& name) {
  for (const rules::ActionSpec& action : loading.config.core.actions) {
    if (action.name == name) return &action;
  }
  return nullptr;
}

void resolve_service(Loading& loading, ReadRule& rule) {
  const std::string owner = "rule." + rule.spec.name.text;
  const std::set<std::string>& known = loading.service_names;
  if (!rule.spec.service.empty()) {
    if (known.contains(rule.spec.service.text)) return;
    loading.findings.error(rule.service_place, owner + ": there is no service \"" + rule.spec.service.text + "\"" +
                                                   did_you_mean(rule.spec.service.text, list(known)));
    return;
  }
  if (known.size() == 1) {
    rule.spec.service = rules::ServiceName(*known.begin());
    return;
  }
  loading.findings.error(rule.place, known.empty()
                                         ? owner + ": there is no service; define [service.NAME], what is watched"
                                         : owner + ": service is missing; several are defined");
}

// `switch last-good`, for whoever has a driver, unless the file says otherwise.
void imply_rollback(Loading& loading) {
  const std::vector<rules::ServiceSpec>& services = loading.config.core.services;
  const bool can_switch =
      std::any_of(services.begin(), services.end(), [](const rules::ServiceSpec& s) { return s.has_driver; });
  if (!can_switch || loading.action_names.contains("rollback")) return;
  rules::StepSpec step;
  step.what = rules::SwitchStep();
  rules::ActionSpec action;
  action.name = rules::ActionName("rollback");
  action.implied = true;
  action.steps.push_back(std::move(step));
  loading.action_names.insert("rollback");
  loading.config.core.actions.push_back(std::move(action));
}

bool names_revision(const std::vector<std::string>& argv) {
  return std::any_of(argv.begin(), argv.end(), [](const std::string& word) {
    return word.find("{to}") != std::string::npos || word.find("{from}") != std::string::npos;
  });
}

// What an action cannot do for a service whose revision nobody can read, for people; empty: nothing (SPEC 2.18).
std::string why_needs_identity(const rules::ActionSpec& action) {
  for (const auto* section : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
    for (const rules::StepSpec& step : *section) {
      const auto* run = std::get_if<rules::RunStep>(&step.what);
      const auto* capture = std::get_if<rules::CaptureStep>(&step.what);
      if ((run != nullptr && names_revision(run->argv)) || (capture != nullptr && names_revision(capture->argv)))
        return "has {to} or {from} in a command";
      const auto* to = std::get_if<rules::SwitchStep>(&step.what);
      if (to != nullptr && to->kind != rules::SwitchTargetKind::last_good) return "names the revision that it goes to";
    }
  }
  return "";
}

void check_identity(Loading& loading, const rules::ServiceSpec* service, const rules::ActionSpec* action, Place place,
                    const std::string& owner) {
  if (service == nullptr || action == nullptr || service->has_identity) return;
  const std::string why = why_needs_identity(*action);
  if (why.empty()) return;
  loading.findings.error(place, owner + ": action \"" + action->name.text + "\" " + why + ", but service \"" +
                                    service->name.text +
                                    "\" has no identity; add identify = [...], a command that prints what runs");
}

// Without `respond` a rule rolls back, when there is something to roll back; a P3 rule only tells.
void resolve_default_response(Loading& loading, ReadRule& rule) {
  const rules::ServiceSpec* const service = service_named(loading, rule.spec.service);
  if (service == nullptr) return;
  const rules::ActionSpec* const rollback = action_named(loading, rules::ActionName("rollback"));
  const bool possible = rollback != nullptr && (service->has_driver || !rollback->switches());
  if (possible) {
    rule.spec.respond.emplace_back("rollback");
    check_identity(loading, service, rollback, rule.place, "rule." + rule.spec.name.text);
    return;
  }
  if (rule.spec.severity == rules::Severity::p3 || loading.action_names.contains("rollback")) return;
  loading.findings.error(
      rule.place,
      "rule." + rule.spec.name.text + ": responds with a rollback, but service \"" + service->name.text +
          "\" cannot be switched; give it rollback = [...] or a driver, or write respond = [] to only tell");
}

// The last actions of a ladder would never be reached: the fuse blows before.
void check_length(Loading& loading, const rules::ServiceSpec& service, const ReadRule& rule) {
  const std::vector<rules::ActionName>& respond = rule.spec.respond;
  const auto changing = std::count_if(respond.begin(), respond.end(), [&](const rules::ActionName& name) {
    const rules::ActionSpec* const action = action_named(loading, name);
    return action != nullptr && action->mutates();
  });
  const int most = service.fuse.mutations_per_hour;
  if (most == 0 || changing <= most) return;
  loading.findings.error(rule.respond_places.front(),
                         "rule." + rule.spec.name.text + ".respond: has " + std::to_string(changing) +
                             " actions that change something, and the fuse lets " + std::to_string(most) +
                             " be taken in an hour: the last would never be reached; raise service." +
                             service.name.text + ".fuse.mutations_per_hour");
}

void resolve_response(Loading& loading, ReadRule& rule) {
  if (!rule.responds) {
    resolve_default_response(loading, rule);
    return;
  }
  const rules::ServiceSpec* const service = service_named(loading, rule.spec.service);
  for (std::size_t i = 0; i < rule.spec.respond.size(); ++i) {
    const rules::ActionName& name = rule.spec.respond[i];
    const std::string owner = "rule." + rule.spec.name.text + ".respond";
    if (!loading.action_names.contains(name.text)) {
      std::string hint = did_you_mean(name.text, list(loading.action_names));
      if (hint.empty()) hint = "; define [action." + name.text + "]";
      loading.findings.error(rule.respond_places[i], owner + ": there is no action \"" + name.text + "\"" + hint);
      continue;
    }
    const rules::ActionSpec* const action = action_named(loading, name);
    check_identity(loading, service, action, rule.respond_places[i], owner);
    if (service == nullptr || action == nullptr || !action->switches() || service->has_driver) continue;
    loading.findings.error(rule.respond_places[i], owner + ": action \"" + name.text + "\" switches, but service \"" +
                                                       service->name.text +
                                                       "\" has no driver; give it one, or rollback = [...]");
  }
  if (service != nullptr) check_length(loading, *service, rule);
}

void check_named(Loading& loading, const std::vector<PlacedName>& used, const std::set<std::string>& known,
                 const std::string& kind, const std::string& define) {
  for (const PlacedName& use : used) {
    if (known.contains(use.name)) continue;
    std::string hint = did_you_mean(use.name, list(known));
    if (hint.empty()) hint = "; define [" + define + "." + use.name + "]";
    loading.findings.error(use.place, "there is no " + kind + " \"" + use.name + "\"" + hint);
  }
}

void check_depends_on(Loading& loading) {
  for (const auto& [service, names] : loading.depends_on) {
    check_named(loading, names, loading.service_names, "service", "service");
    for (const PlacedName& name : names) {
      if (name.name == service) loading.findings.error(name.place, "service." + service + ": depends on itself");
    }
  }
  check_no_circle(loading);
  check_nothing_is_shared(loading);
  check_no_link_in_trees(loading);
}

template <class Entries>
void sort_by_name(Entries& entries) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
}

}  // namespace

void resolve_references(Loading& loading) {
  imply_rollback(loading);
  for (ReadRule& rule : loading.rules) {
    resolve_service(loading, rule);
    resolve_response(loading, rule);
    loading.config.core.rules.push_back(rule.spec);
  }
  for (const PlacedCondition& placed : loading.conditions) check_condition(loading, placed);
  check_named(loading, loading.notifiers_used, loading.notifier_names, "notifier", "notify");
  check_depends_on(loading);
  sort_by_name(loading.config.core.rules);
  sort_by_name(loading.config.core.signals);
  sort_by_name(loading.config.core.actions);
  sort_by_name(loading.config.probes);
}

}  // namespace watcher
