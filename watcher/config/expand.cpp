#include "watcher/config/expand_parts.hpp"

#include "rules/engine/config.hpp"

namespace watcher {

namespace {

void write_watcher(TomlWriter& out, const Config& config) {
  const WatcherSection& watcher = config.watcher;
  out.section("[watcher]");
  out.string("name", watcher.name);
  out.string("state_dir", watcher.state_dir);
  out.string("listen", watcher.listen);
  out.string("control", watcher.control);
  out.string_unless_empty("control_group", watcher.control_group);
  if (watcher.token) out.text("token", *watcher.token);
  out.string("mode", rules::to_string(config.core.mode));
  out.duration("record", watcher.record);
  out.string_unless_empty("environment", watcher.environment);
}

std::string_view unit_word(rules::Unit unit) {
  switch (unit) {
    case rules::Unit::seconds:
      return "s";
    case rules::Unit::milliseconds:
      return "ms";
    case rules::Unit::none:
      return "none";
  }
  return "";
}

std::string pair_of(const rules::RatioOf& ratio) {
  return toml_strings({rules::to_string(ratio.numerator), rules::to_string(ratio.denominator)});
}

// One candidate on each line: arrays, unlike inline tables, may span lines.
template <class Candidates, class Write>
std::string candidates(const Candidates& all, const Write& write) {
  if (all.size() == 1) return write(all.front());
  std::string out = "[\n";
  for (const auto& one : all) out += "  " + write(one) + ",\n";
  return out + "]";
}

void write_signal(TomlWriter& out, const rules::SignalSpec& signal) {
  out.section("[signal." + signal.name.text + "]");
  out.string("probe", signal.probe.text);
  if (const auto* ratios = std::get_if<std::vector<rules::RatioOf>>(&signal.of)) {
    out.raw("ratio", candidates(*ratios, pair_of));
  } else if (const auto* quantiles = std::get_if<std::vector<rules::QuantileOf>>(&signal.of)) {
    out.raw("quantile", toml_of_number(quantiles->front().quantile));
    out.raw("of",
            candidates(*quantiles, [](const rules::QuantileOf& q) { return toml_string(rules::to_string(q.family)); }));
  } else if (const auto* expression = std::get_if<rules::ExpressionOf>(&signal.of)) {
    out.string("expr", expression->text);
  }
  out.duration("window", signal.window);
  out.duration("window_max", signal.window_max);
  out.integer("min_count", signal.min_count);
  out.string("unit", unit_word(signal.unit));
  out.boolean("strict", signal.strict);
}

void write_rule(TomlWriter& out, const rules::RuleSpec& rule) {
  out.section("[rule." + rule.name.text + "]");
  out.string("service", rule.service.text);
  out.string("when", rule.when.text());
  if (rule.clear) out.string("clear", rule.clear->text());
  out.duration("for", rule.sustain);
  out.string("severity", rules::to_string(rule.severity));
  std::vector<std::string> respond;
  for (const rules::ActionName& action : rule.respond) respond.push_back(action.text);
  out.strings("respond", respond);
  if (rule.mode) out.string("mode", rules::to_string(*rule.mode));
  out.raw("quorum", toml_of_number(rule.quorum));
  out.duration("blind_after", rules::blind_after(rule));
  if (rule.unless) out.string("unless", rule.unless->text());
  out.duration("unless_max", rule.unless_max);
}

void write_notifier(TomlWriter& out, const NotifierSection& notifier) {
  out.section("[notify." + notifier.name.text + "]");
  switch (notifier.type) {
    case NotifierType::slack:
      out.string("type", "slack");
      break;
    case NotifierType::webhook:
      out.string("type", "webhook");
      break;
  }
  out.text("url", notifier.url);
  out.text_map("header", notifier.headers);
  out.strings_unless_empty("on", notifier.on);
  std::vector<std::string> severities;
  for (const rules::Severity severity : notifier.severities) severities.emplace_back(rules::to_string(severity));
  out.strings_unless_empty("severity", severities);
  if (notifier.after) out.duration("after", *notifier.after);
  if (notifier.every) out.duration("every", *notifier.every);
  out.string_unless_empty("template", notifier.template_text);
}

}  // namespace

std::string expand(const Config& config) {
  TomlWriter out;
  write_watcher(out, config);
  for (const probes::ProbeConfig& probe : config.probes) write_probe(out, probe);
  for (const rules::SignalSpec& signal : config.core.signals) write_signal(out, signal);
  for (const rules::ServiceSpec& service : config.core.services) {
    for (const DriverSection& driver : config.drivers) {
      if (driver.service == service.name) write_service(out, service, driver);
    }
  }
  for (const rules::RuleSpec& rule : config.core.rules) write_rule(out, rule);
  for (const rules::ActionSpec& action : config.core.actions) write_action(out, action);
  for (const NotifierSection& notifier : config.notifiers) write_notifier(out, notifier);
  return out.written();
}

}  // namespace watcher
