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

// The probes that the condition asks anything of.
void add_named(const Config& config, const rules::Condition& condition, Names& out) {
  if (condition.empty()) return;
  for (const rules::Condition::Reference& reference : condition.references()) {
    if (const auto* const field = std::get_if<rules::FieldRef>(&reference.to)) out.insert(field->probe.text);
    const auto* const signal = std::get_if<rules::SignalRef>(&reference.to);
    for (const rules::SignalSpec& spec : config.core.signals) {
      if (signal != nullptr && spec.name == signal->signal) out.insert(spec.probe.text);
    }
  }
}

Names named_by_rules(const Config& config, const rules::ServiceName& service) {
  Names out;
  for (const rules::RuleSpec& rule : config.core.rules) {
    if (rule.service != service) continue;
    add_named(config, rule.when, out);
    for (const std::optional<rules::Condition>& more : {rule.clear, rule.unless}) {
      if (more) add_named(config, *more, out);
    }
  }
  return out;
}

// The only one that its rules ask, besides what they ask of the host. Of several, one may be the database, or somebody
// else's: that it is up says nothing of a service that still starts.
std::optional<rules::ProbeName> unnamed_health(const Config& config, const rules::ServiceName& service) {
  const Names names = named_by_rules(config, service);
  std::optional<rules::ProbeName> found;
  for (const probes::ProbeConfig& probe : config.probes) {
    const bool is_asked = names.contains(probe.name.text) && !std::holds_alternative<probes::HostProbe>(probe.what);
    if (!is_asked) continue;
    if (found || !may_be_health(probe)) return std::nullopt;
    found = probe.name;
  }
  return found;
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
           "; else the only probe, of http or tcp, that its rules ask): after a start each rule waits for its own "
           "probes to be up";
  }
  const std::string why =
      is_called_health(service) ? "" : ", the only one that its rules ask (" + called + ", would be it)";
  return "its health is probe " + service.health->text + why + ": after a start nothing is judged before that is up";
}

}  // namespace watcher
