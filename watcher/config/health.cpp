#include "watcher/config/health.hpp"

#include <algorithm>
#include <set>
#include <variant>

namespace watcher {

namespace {

std::string own_name(const rules::ServiceSpec& service) {
  std::string name = service.name.text + "_health";
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// A journey may fail though the service is up, and a page of metrics is often served by something of its own.
bool may_be_health(const probes::ProbeConfig& probe) {
  if (const auto* const http = std::get_if<probes::HttpProbe>(&probe.what)) return http->steps.empty();
  return std::holds_alternative<probes::TcpProbe>(probe.what);
}

using Names = std::set<std::string>;

// The probes of which the condition asks anything, or whether they are up.
void add_named(const rules::Condition& condition, bool only_up, Names& out) {
  if (condition.empty()) return;
  for (const rules::Condition::Reference& reference : condition.references()) {
    const auto* const field = std::get_if<rules::FieldRef>(&reference.to);
    if (field != nullptr && (!only_up || field->field == "up")) out.insert(field->probe.text);
  }
}

Names named_by_rules(const Config& config, const rules::ServiceName& service, bool only_up) {
  Names out;
  for (const rules::RuleSpec& rule : config.core.rules) {
    if (rule.service == service) add_named(rule.when, only_up, out);
  }
  return out;
}

Names named_by_plans(const Config& config, const rules::ServiceName& service) {
  Names out;
  for (const rules::RuleSpec& rule : config.core.rules) {
    for (const rules::ActionSpec& action : config.core.actions) {
      const bool responds = std::find(rule.respond.begin(), rule.respond.end(), action.name) != rule.respond.end();
      if (rule.service == service && responds && action.verify.when) add_named(*action.verify.when, true, out);
    }
  }
  return out;
}

// Where exactly one of those may be it.
std::optional<rules::ProbeName> only_one(const Config& config, const Names& names) {
  std::optional<rules::ProbeName> found;
  for (const probes::ProbeConfig& probe : config.probes) {
    if (!names.contains(probe.name.text) || !may_be_health(probe)) continue;
    if (found) return std::nullopt;
    found = probe.name;
  }
  return found;
}

// What its rules ask to be up, else what proves that it was mended, else the only probe that could say so.
std::optional<rules::ProbeName> unnamed_health(const Config& config, const rules::ServiceName& service) {
  std::optional<rules::ProbeName> found = only_one(config, named_by_rules(config, service, true));
  if (!found) found = only_one(config, named_by_plans(config, service));
  if (found) return found;
  Names all = named_by_rules(config, service, false);
  if (config.core.services.size() == 1) {
    for (const probes::ProbeConfig& probe : config.probes) all.insert(probe.name.text);
  }
  return only_one(config, all);
}

bool is_called_health(const rules::ServiceSpec& service) {
  return service.health->text == "health" || service.health->text == own_name(service);
}

}  // namespace

void name_health(Config& config) {
  const bool is_single = config.core.services.size() == 1;
  for (rules::ServiceSpec& service : config.core.services) {
    for (const std::string& name : {own_name(service), std::string(is_single ? "health" : "")}) {
      const auto is_named = [&name](const probes::ProbeConfig& probe) { return probe.name.text == name; };
      if (!service.health && std::any_of(config.probes.begin(), config.probes.end(), is_named))
        service.health = rules::ProbeName(name);
    }
    if (!service.health) service.health = unnamed_health(config, service.name);
  }
}

std::string said_of_health(const rules::ServiceSpec& service) {
  const std::string called = "one called " + own_name(service) + ", or health where there is one service";
  if (!service.health) {
    return "no probe is its health (" + called +
           "; else the only one of http or tcp that its rules ask to be up): after a start each rule waits for its own "
           "probes to be up";
  }
  const std::string why = is_called_health(service) ? "" : ", the only one that can be (" + called + ", would be it)";
  return "its health is probe " + service.health->text + why + ": after a start nothing is judged before that is up";
}

}  // namespace watcher
