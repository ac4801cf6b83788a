#include <array>

#include "rules/engine/commands.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

std::vector<std::string> stage_names() {
  std::vector<std::string> out;
  for (const rules::Stage stage :
       {rules::Stage::started, rules::Stage::progress, rules::Stage::ask, rules::Stage::completed, rules::Stage::failed,
        rules::Stage::cleared, rules::Stage::blind, rules::Stage::seeing, rules::Stage::fault}) {
    out.emplace_back(rules::to_string(stage));
  }
  return out;
}

void read_stages(TableReader& reader, NotifierSection& out) {
  const std::vector<std::string> known = stage_names();
  for (const std::string& stage : reader.strings("on").value_or(std::vector<std::string>())) {
    bool found = false;
    for (const std::string& name : known) found = found || name == stage;
    if (!found) reader.error("on", "there is no stage \"" + stage + "\"" + did_you_mean(stage, known));
    out.on.push_back(stage);
  }
}

void read_severities(TableReader& reader, NotifierSection& out) {
  for (const std::string& word : reader.strings("severity").value_or(std::vector<std::string>())) {
    const std::optional<rules::Severity> severity = severity_named(word);
    if (severity) {
      out.severities.push_back(*severity);
    } else {
      reader.error("severity", "unknown \"" + word + "\" (one of P0, P1, P2, P3)");
    }
  }
}

void read_template(TableReader& reader, NotifierSection& out) {
  std::optional<Text> text = reader.text("template");
  if (text) out.template_text = std::move(text->value);
}

void read_notifier(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "notify." + entry.name);
  loading.notifier_names.insert(entry.name);
  NotifierSection out;
  out.name = rules::NotifierName(entry.name);
  if (!reader.has("type")) reader.missing("type", "one of slack, webhook");
  const auto type = reader.choice<NotifierType>(
      "type", {{"slack", NotifierType::slack}, {"webhook", NotifierType::webhook}}, Vocabulary::notifier_type);
  // The keys of the others are their own.
  if (!type && reader.is_later("type", Vocabulary::notifier_type)) return;
  out.type = type.value_or(out.type);
  if (!reader.has("url")) reader.missing("url", "write url = { file = \"PATH\" } or url = \"https://...\"");
  if (std::optional<Text> url = reader.text("url")) {
    check_url(loading, reader.place("url"), reader.owner("url"), url->value);
    out.url = *std::move(url);
  }
  out.headers = read_headers(reader);
  read_stages(reader, out);
  read_severities(reader, out);
  out.after = reader.duration("after");
  out.every = reader.duration("every", std::chrono::seconds(1));
  read_template(reader, out);
  reader.finish();
  loading.config.notifiers.push_back(std::move(out));
}

}  // namespace

void read_notifiers(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "notify", is_plan_name, "[a-z_][a-z0-9_-]*")) {
    read_notifier(loading, entry);
  }
}

}  // namespace watcher
