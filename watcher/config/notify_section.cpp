#include <algorithm>
#include <array>
#include <chrono>

#include "probes/key_rows.hpp"
#include "rules/engine/commands.hpp"
#include "watcher/config/findings.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/values.hpp"
#include "watcher/notify/fields.hpp"
#include "watcher/notify/notifiers.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;

constexpr probes::Word stages[]{
    {"started", 0, "an incident opened"},
    {"late", 9, "it waits, nothing is done about it, or a more severe rule fires too; comes with started"},
    {"progress", 1, "a step ended, a phase began: every one of them"},
    {"ask", 2, "somebody has to approve"},
    {"completed", 3, "closed, and what was to be done was done"},
    {"failed", 4, "closed, and people are needed"},
    {"cleared", 5, "closed before anything was changed"},
    {"blind", 6, "a rule cannot be observed"},
    {"seeing", 7, "it can be observed again"},
    {"fault", 8, "a measuring path broke, or works again"},
};

probes::Value template_of(const void* object) {
  return Text{static_cast<const NotifierSection*>(object)->template_text, false};
}
void set_template(void* object, probes::Value value) {
  static_cast<NotifierSection*>(object)->template_text = std::get<Text>(std::move(value)).value;
}

constexpr std::array keys{
    key<Kind::address, &NotifierSection::url>("url", "Where the messages go.")
        .with_secret_path()
        .when_left_out("must be there, but for email and pagerduty"),
    key<Kind::headers, &NotifierSection::headers>("header", "Headers that are sent."),
    probes::choices<stages, &NotifierSection::on>("on", "What is told.")
        .when_left_out("all but progress; for pagerduty and alertmanager incidents alone"),
    probes::choices<severity_words, &NotifierSection::severities>("severity", "Of which severities.")
        .when_left_out("all"),
    key<Kind::duration, &NotifierSection::after>(
        "after", "Escalation: what is still open then is told, as it is then, in one message.")
        .when_left_out("at once"),
    key<Kind::duration, &NotifierSection::every>(
        "every", "So often people are told where it stands, while it is open or needs them; once a day after a day.")
        .at_least(std::chrono::seconds(1))
        .when_left_out("30m for P0 and P1, 4h for P2, and only where people are needed"),
    key<Kind::string, &NotifierSection::template_text>(
        "template", "What is said, with {title}, {text}, {runbook}, ...; `rollbackd notify fields` lists them.")
        .with(&Key::kind, Kind::text)
        .with(&Key::get, template_of)
        .with(&Key::set, set_template)
        .told()
        .when_left_out("the type's own"),
};

// What several keys must agree on.
void settle_notifier(TableReader& reader, const NotifierSection& out) {
  const bool needs_url = !std::holds_alternative<EmailNotifier>(out.kind) && usual_url(out).empty();
  if (needs_url && !reader.has("url"))
    reader.missing("url", "write url = { file = \"PATH\" } or url = \"https://...\"");
  if (!is_alert(out)) return;
  const bool is_alertmanager = std::holds_alternative<AlertmanagerNotifier>(out.kind);
  if (is_alertmanager && out.every && *out.every > std::chrono::hours(24))
    reader.error("every", "is more than \"1d\": Alertmanager would take the alert for ended before it is told again");
  if (is_alertmanager && out.url.value.find_first_of("?#") != std::string::npos)
    reader.error("url", "must be Alertmanager's own, such as \"http://127.0.0.1:9093\"");
  for (const std::string_view stage : {"progress", "fault"}) {
    if (std::find(out.on.begin(), out.on.end(), stage) == out.on.end()) continue;
    reader.error("on", "has \"" + std::string(stage) +
                           "\", which begins or ends no alert; leave it out, or tell it another notifier");
  }
}

void read_notifier(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "notify." + entry.name);
  loading.notifier_names.insert(entry.name);
  NotifierSection out;
  out.name = rules::NotifierName(entry.name);
  if (!reader.has("type")) reader.missing("type", "one of " + reader.words_of(notifier_types()));
  const probes::Variety* const type = reader.variety("type", notifier_types());
  reader.read(keys, &out);
  if (type != nullptr) {
    void* const kind = type->become(&out.kind);
    reader.read(type->keys, kind);
    if (type->settle != nullptr) type->settle(kind, reader);
    settle_notifier(reader, out);
  } else {
    for (const probes::Variety& each : notifier_types()) reader.know(each.keys);
  }
  reader.finish();
  for (const std::string_view key : {"on", "severity"}) {
    const toml::array* const words = entry.table->get_as<toml::array>(key);
    if (words != nullptr && words->empty()) reader.error(key, "is empty: it would never tell; leave it out for all");
  }
  std::vector<std::string> known;
  for (const MessageField& field : message_fields()) known.emplace_back(field.name);
  for (const std::string& field : unknown_fields(out.template_text)) {
    reader.error("template", "has {" + field + "}, which is no field" + did_you_mean(field, known) +
                                 "; `rollbackd notify fields` lists them");
  }
  const std::string wrong = reader.has("template") ? wrong_template(out.template_text) : "";
  if (!wrong.empty()) reader.error("template", wrong);
  loading.config.notifiers.push_back(std::move(out));
}

}  // namespace

std::span<const Key> notifier_keys() { return keys; }

void read_notifiers(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "notify", is_plan_name, "[a-z_][a-z0-9_-]*")) {
    read_notifier(loading, entry);
  }
}

}  // namespace watcher
