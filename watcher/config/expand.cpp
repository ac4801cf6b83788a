#include "watcher/config/kinds.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/notify/notifiers.hpp"

namespace watcher {

namespace {

void write_notifier(TomlWriter& out, const NotifierSection& notifier) {
  out.section("[notify." + notifier.name.text + "]");
  const probes::Variety& type = *held_by(&notifier.kind, notifier_types());
  out.string("type", type.word);
  write_values(out, notifier_keys(), &notifier);
  write_values(out, type.keys, type.held(&notifier.kind));
}

}  // namespace

std::string expand(const Config& config) {
  TomlWriter out;
  out.section("[watcher]");
  write_values(out, watcher_keys(), &config);
  for (const probes::ProbeConfig& probe : config.probes) write_probe(out, probe);
  for (const rules::SignalSpec& signal : config.core.signals) {
    out.section("[signal." + signal.name.text + "]");
    write_values(out, signal_keys(), &signal);
  }
  for (const rules::ServiceSpec& service : config.core.services) {
    for (const DriverSection& driver : config.drivers) {
      if (driver.service == service.name) write_service(out, service, driver);
    }
  }
  for (const rules::RuleSpec& rule : config.core.rules) {
    out.section("[rule." + rule.name.text + "]");
    write_values(out, rule_keys(), &rule);
  }
  for (const rules::ActionSpec& action : config.core.actions) write_action(out, action);
  for (const NotifierSection& notifier : config.notifiers) write_notifier(out, notifier);
  return out.written();
}

}  // namespace watcher
