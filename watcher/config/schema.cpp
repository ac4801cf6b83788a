#include "watcher/config/schema.hpp"

#include <algorithm>

#include "watcher/config/kinds.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/step_kinds.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/notify/notifiers.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::Kind;
using probes::Variety;

template <class Object>
std::shared_ptr<void> fresh() {
  return std::make_shared<Object>();
}

void* itself(void* object) { return object; }
void* kind_of_notifier(void* section) { return &static_cast<NotifierSection*>(section)->kind; }
void* what_of_probe(void* probe) { return &static_cast<probes::ProbeConfig*>(probe)->what; }

std::string words_of(std::span<const probes::Word> words) {
  std::string out;
  for (const probes::Word& word : words) out += (out.empty() ? "" : ", ") + std::string(word.word);
  return out;
}

std::string type_of(const Key& key) {
  if (key.own != nullptr) return std::string(key.own->type);
  std::string out(row_of(key.kind).type);
  if (!key.words.empty()) out += " " + words_of(key.words);
  if (key.kind == Kind::integer) out += ", " + std::to_string(key.least) + " to " + std::to_string(key.most);
  if (key.shortest > rules::Duration::zero()) out += ", at least " + rules::to_string(key.shortest);
  return out;
}

std::string fallback_of(const Key& key, const void* object) {
  if (!key.implied.empty()) return std::string(key.implied);
  if (!key.missing.empty() || key.own != nullptr || key.get == nullptr) return {};
  const probes::Value value = key.get(object);
  return std::holds_alternative<std::monostate>(value) ? std::string() : row_of(key.kind).toml(value);
}

class Lister {
 public:
  explicit Lister(const Section& section) : section_(section) {}

  // `only` says which of the section's varieties has the keys; empty: all.
  void list(std::span<const Key> keys, const std::string& prefix, const void* object, const std::string& only) {
    for (const Key& key : keys) {
      if (key.later) continue;
      if (key.kind == Kind::group && key.own == nullptr) {
        list(key.keys, prefix, key.look(object), only);
        continue;
      }
      add(key, prefix + std::string(key.name), object, only);
      const std::string below = prefix + std::string(key.name) + ".";
      if (key.kind == Kind::table) list(key.keys, below, key.look(object), only);
      if (key.kind == Kind::tables) list_tables(key, below, only);
    }
  }

  void choose() {
    if (section_.chooser.empty()) return;
    std::string words;
    for (const Variety& variety : section_.varieties) {
      if (!variety.later()) words += (words.empty() ? "one of " : ", ") + std::string(variety.word);
    }
    if (section_.name == "service")
      words += "; or several in an array, the fastest first, each with its keys and `dir` in [service.NAME.DRIVER]";
    KeyRow row{path_of(section_.chooser), std::string(section_.name), nullptr, {}, words, "", "What it is.", true};
    if (section_.name == "service") row.fallback = "\"command\" where it has that one's keys, else none";
    row.required = row.fallback.empty();
    rows_.push_back(std::move(row));
  }

  std::vector<KeyRow> take() { return std::move(rows_); }

 private:
  std::string path_of(std::string_view name) const { return std::string(section_.name) + "." + std::string(name); }

  void list_tables(const Key& key, const std::string& below, const std::string& only) {
    const std::shared_ptr<void> owner = section_.fresh();
    for (const Variety& variety : section_.varieties) {
      if (variety.word != only) continue;
      void* const one = key.append(variety.become(section_.variant(owner.get())));
      list(key.keys, below, one, only);
    }
  }

  void add(const Key& key, const std::string& name, const void* object, const std::string& only) {
    KeyRow row{path_of(name),        std::string(section_.name), &key, {}, type_of(key), fallback_of(key, object),
               std::string(key.doc), !key.missing.empty()};
    for (KeyRow& known : rows_) {
      if (known.path != row.path || known.doc != row.doc) continue;
      known.only.push_back(only);
      return;
    }
    if (!only.empty()) row.only.push_back(only);
    rows_.push_back(std::move(row));
  }

  const Section& section_;
  std::vector<KeyRow> rows_;
};

std::vector<KeyRow> rows_of(const Section& section) {
  Lister lister(section);
  lister.choose();
  const std::shared_ptr<void> object = section.fresh();
  lister.list(section.keys, "", object.get(), "");
  for (const Variety& variety : section.varieties) {
    if (!variety.later())
      lister.list(variety.keys, "", variety.become(section.variant(object.get())), std::string(variety.word));
  }
  return lister.take();
}

}  // namespace

std::vector<Section> sections() {
  return {
      {"watcher", "[watcher]", "The watcher itself.", watcher_keys(), "", {}, fresh<Config>},
      {"probe", "[probe.NAME]", "What is asked again and again.", probe_keys(), "type", probes::probe_types(),
       fresh<probes::ProbeConfig>, what_of_probe},
      {"signal",
       "[signal.NAME]",
       "One number over a window, made from a probe's samples.",
       signal_keys(),
       "",
       {},
       fresh<rules::SignalSpec>},
      {"service", "[service.NAME]", "What is deployed, and how it is switched to another revision.", service_keys(),
       "driver", driver_kinds(), fresh_service, driver_of_service},
      {"rule",
       "[rule.NAME]",
       "What is bad, for how long, and what is done then.",
       rule_keys(),
       "",
       {},
       fresh<rules::RuleSpec>},
      {"action",
       "[action.NAME]",
       "A plan: steps, how it is verified, what follows.",
       action_keys(),
       "",
       {},
       fresh<rules::ActionSpec>},
      {"action.step", "[[action.NAME.step]]",
       "A step of a plan; on_success, on_failure and always have the same. It does one thing: the first key says what.",
       step_keys(), "", step_kinds(), fresh<rules::StepSpec>, itself},
      {"action.later",
       "[[action.NAME.later]]",
       "What is looked at, and told, when the incident has recovered and that long is over. It decides nothing, holds "
       "no lock, and ends when another release runs. It has a condition, what a person does until then, or both.",
       later_keys(),
       "",
       {},
       fresh<rules::LaterSpec>},
      {"notify", "[notify.NAME]", "Who is told.", notifier_keys(), "type", notifier_types(), fresh<NotifierSection>,
       kind_of_notifier},
  };
}

std::vector<KeyRow> all_keys() {
  std::vector<KeyRow> out;
  for (const Section& section : sections()) {
    for (KeyRow& row : rows_of(section)) out.push_back(std::move(row));
  }
  return out;
}

}  // namespace watcher
