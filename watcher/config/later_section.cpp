#include "watcher/config/later_section.hpp"

#include <array>
#include <chrono>

#include "probes/key_rows.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/toml_text.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;
using rules::LaterSpec;

constexpr rules::Duration shortest = std::chrono::seconds(1);
constexpr rules::Duration longest = std::chrono::hours(24) * 30;  // what comes later than that nobody waits for
constexpr std::int64_t text_max = 1000;                           // bytes: it stands in messages

void read_addressee(TableReader& reader, const Key& key, void* object) {
  if (!reader.has(key.name)) return;
  const std::string name = reader.string(key.name).value_or("");
  reader.loading().notifiers_used.push_back({name, reader.place(key.name)});
  static_cast<LaterSpec*>(object)->notify = rules::NotifierName(name);
}
std::string addressee_toml(const void* object) {
  const std::string& name = static_cast<const LaterSpec*>(object)->notify.text;
  return name.empty() ? "" : toml_string(name);
}
constexpr probes::Own addressee{"a notifier's name", "\"team\"", read_addressee, addressee_toml};

constexpr std::array keys{
    key<Kind::duration, &LaterSpec::after>("after", "How long after the incident's end.")
        .at_least(shortest)
        .required("write for example after = \"30m\""),
    key<Kind::condition, &LaterSpec::when>("when", "What has to be so then.")
        .when_left_out("people are reminded of text"),
    key<Kind::string, &LaterSpec::text>("text", "What a person has to do until then."),
    own_key("notify", addressee, "The one notifier that is told; without it whoever is told of the incident's end."),
};

LaterSpec read_later(TableReader& reader) {
  LaterSpec out;
  reader.read(keys, &out);
  if (!reader.has("when") && out.text.empty())
    reader.error("looks at nothing; give it when, a condition, or text, what a person has to do until then");
  if (out.after > longest) reader.error("after", "is more than 30d; nobody waits for that");
  if (std::ssize(out.text) > text_max) reader.error("text", "is longer than 1000 bytes; it stands in messages");
  reader.finish();
  return out;
}

}  // namespace

std::span<const Key> later_keys() { return keys; }

std::vector<LaterSpec> read_later_checks(TableReader& action, std::string_view key) {
  std::vector<LaterSpec> out;
  for (const toml::table* table : action.subtables(key)) {
    TableReader reader(action.loading(), *table, action.owner(key) + "[" + std::to_string(out.size()) + "]");
    out.push_back(read_later(reader));
  }
  return out;
}

void write_later(TomlWriter& out, const std::string& header, const LaterSpec& later) {
  out.section("[[" + header + "]]");
  write_values(out, keys, &later);
}

}  // namespace watcher
