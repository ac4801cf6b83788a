#include "watcher/config/sections.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

rules::Severity read_severity(TableReader& reader) {
  const std::optional<rules::Severity> severity =
      reader.choice<rules::Severity>("severity", {{"P0", rules::Severity::p0},
                                                  {"P1", rules::Severity::p1},
                                                  {"P2", rules::Severity::p2},
                                                  {"P3", rules::Severity::p3}});
  return severity.value_or(rules::Severity::p1);
}

void read_responses(TableReader& reader, ReadRule& out) {
  out.responds = reader.has("respond");
  const toml::node* const node = reader.node("respond");
  if (node == nullptr) return;
  if (node->is_string()) {  // one rung may stand without brackets
    out.spec.respond.emplace_back(reader.string("respond").value_or(""));
    out.respond_places.push_back(place_of(*node));
    return;
  }
  const std::optional<std::vector<std::string>> names = reader.strings("respond");
  if (!names) return;
  for (std::size_t i = 0; i < names->size(); ++i) {
    out.spec.respond.emplace_back((*names)[i]);
    out.respond_places.push_back(place_of((*node->as_array())[i]));
  }
}

std::optional<rules::Condition> optional_condition(TableReader& reader, std::string_view key) {
  rules::Condition condition = reader.condition(key);
  return condition.empty() ? std::nullopt : std::optional(std::move(condition));
}

void read_conditions(TableReader& reader, rules::RuleSpec& out) {
  if (!reader.has("when")) reader.missing("when", "write a condition such as when = \"error_rate > 5%\"");
  out.when = reader.condition("when");
  out.clear = optional_condition(reader, "clear");
  out.unless = optional_condition(reader, "unless");
  if (const auto most = reader.duration("unless_max")) out.unless_max = *most;
}

void read_rule(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "rule." + entry.name);
  ReadRule read;
  rules::RuleSpec& out = read.spec;
  out.name = rules::RuleName(entry.name);
  read_conditions(reader, out);
  if (!reader.has("for")) reader.missing("for", "how long it must be bad before it fires, such as for = \"5m\"");
  out.sustain = reader.duration("for").value_or(rules::Duration::zero());
  out.severity = read_severity(reader);
  out.mode = reader.choice<rules::Mode>("mode", {{"act", rules::Mode::act},
                                                 {"ask", rules::Mode::ask},
                                                 {"notify", rules::Mode::notify},
                                                 {"observe", rules::Mode::observe}});
  out.quorum = reader.share("quorum").value_or(out.quorum);
  out.blind_after = reader.duration("blind_after", std::chrono::seconds(1));
  out.service = rules::ServiceName(reader.string("service").value_or(""));
  read_responses(reader, read);
  read.place = reader.place();
  read.service_place = reader.place("service");
  reader.finish();
  loading.rules.push_back(std::move(read));
}

}  // namespace

void read_rules(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "rule", is_plan_name, "[a-z_][a-z0-9_-]*")) {
    read_rule(loading, entry);
  }
}

}  // namespace watcher
