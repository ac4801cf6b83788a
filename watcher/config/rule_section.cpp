#include <algorithm>
#include <array>

#include "probes/key_rows.hpp"
#include "rules/signals/expression.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;
using rules::Duration;
using rules::RuleSpec;

constexpr probes::Word modes[]{
    {"act", static_cast<int>(rules::Mode::act), "its response is carried out"},
    {"ask", static_cast<int>(rules::Mode::ask), "somebody has to approve"},
    {"notify", static_cast<int>(rules::Mode::notify), "people are told, nothing is changed"},
    {"observe", static_cast<int>(rules::Mode::observe), "what would have been done is told"},
};

void read_respond(TableReader& reader, const Key& key, void* object) {
  auto& out = *static_cast<RuleSpec*>(object);
  const toml::node* const node = reader.node(key.name);
  if (node == nullptr) return;
  std::vector<std::string> names;
  if (node->is_string())  // one rung may stand without brackets
    names.push_back(reader.string(key.name).value_or(""));
  else
    names = reader.strings(key.name).value_or(names);
  for (std::string& name : names) out.respond.emplace_back(std::move(name));
}

std::string respond_toml(const void* object) {
  std::vector<std::string> names;
  for (const rules::ActionName& name : static_cast<const RuleSpec*>(object)->respond) names.push_back(name.text);
  return toml_strings(names);
}

constexpr probes::Own actions{"names of actions", "[\"restart\", \"rollback\"]", read_respond, respond_toml};

probes::Value blind_after_of(const void* object) { return rules::blind_after(*static_cast<const RuleSpec*>(object)); }

constexpr std::array keys{
    key<Kind::string, &RuleSpec::service>("service", "The service that it judges.")
        .when_left_out("the only one that is defined"),
    key<Kind::condition, &RuleSpec::when>("when", "What is bad.")
        .required("write a condition such as when = \"error_rate > 5%\""),
    key<Kind::condition, &RuleSpec::clear>("clear", "What says that a rule that fired has recovered.")
        .when_left_out("when is false"),
    key<Kind::duration, &RuleSpec::sustain>("for", "How long it must be bad before it fires.")
        .required("how long it must be bad before it fires, such as for = \"5m\""),
    probes::choice<severity_words, &RuleSpec::severity>("severity", "How bad it is, and so what is done by itself."),
    own_key("respond", actions, "The actions that are tried, one after the other until one helps.")
        .when_left_out("\"rollback\", if the service can be switched"),
    probes::choice<modes, &RuleSpec::mode>("mode", "The most that this rule may do by itself.")
        .when_left_out("what the severity says"),
    key<Kind::share, &RuleSpec::quorum>("quorum", "The part of the observed time that must be bad."),
    key<Kind::duration, &RuleSpec::blind_after>("blind_after", "People are told when it could not be observed so long.")
        .at_least(std::chrono::seconds(1))
        .with(&Key::get, blind_after_of)
        .when_left_out("three times for, at least 1m and four times the longest window of its signals"),
    key<Kind::condition, &RuleSpec::unless>("unless", "Something else that explains the trouble: the rule waits.")
        .when_left_out("nothing"),
    key<Kind::duration, &RuleSpec::unless_max>(
        "unless_max",
        "How long it waits at most for that, and for a service that its own depends_on; 0s: it does "
        "not."),
    key<Kind::string, &RuleSpec::explanation, &rules::Explanation::text>("text",
                                                                         "What those who are told are to read."),
    key<Kind::string, &RuleSpec::explanation, &rules::Explanation::impact>("impact", "What users notice."),
    key<Kind::string, &RuleSpec::explanation, &rules::Explanation::runbook>(
        "runbook", "Where those who are told read on: an address or a place."),
    key<Kind::string, &RuleSpec::explanation, &rules::Explanation::status_page>("status_page",
                                                                                "Where users are told: an address."),
};

std::vector<Place> respond_places(const TableReader& reader) {
  std::vector<Place> out;
  const toml::node* const node = reader.table().get("respond");
  if (node == nullptr) return out;
  if (const toml::array* names = node->as_array()) {
    for (const toml::node& name : *names) out.push_back(place_of(name));
  } else {
    out.push_back(place_of(*node));
  }
  return out;
}

void read_rule(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "rule." + entry.name);
  ReadRule read;
  read.spec.name = rules::RuleName(entry.name);
  reader.read_whole(keys, &read.spec);
  read.responds = reader.has("respond");
  read.respond_places = respond_places(reader);
  read.place = reader.place();
  read.service_place = reader.place("service");
  loading.rules.push_back(std::move(read));
}

Duration window_of(const rules::SignalSpec& signal) {
  const auto* expression = std::get_if<rules::ExpressionOf>(&signal.of);
  return expression == nullptr ? signal.window : expression->parsed->range_max();
}

}  // namespace

void imply_blind_after(Config& config) {
  constexpr int windows_min = 4;  // a deployment and its rollback cut two, each is unknown for 60 % of its length
  for (RuleSpec& rule : config.core.rules) {
    Duration longest{};
    for (const rules::Condition::Reference& read : rule.when.references()) {
      const auto* of = std::get_if<rules::SignalRef>(&read.to);
      if (of == nullptr) continue;
      const auto signal = std::find_if(config.core.signals.begin(), config.core.signals.end(),
                                       [&](const rules::SignalSpec& one) { return one.name == of->signal; });
      if (signal != config.core.signals.end()) longest = std::max(longest, window_of(*signal));
    }
    if (!rule.blind_after && windows_min * longest > rules::blind_after(rule)) rule.blind_after = windows_min * longest;
  }
}

std::span<const Key> rule_keys() { return keys; }

void read_rules(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "rule", is_plan_name, "[a-z_][a-z0-9_-]*")) {
    read_rule(loading, entry);
  }
}

}  // namespace watcher
