#include "watcher/config/kinds.hpp"

#include <array>

#include "watcher/config/shapes.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::Kind;
using probes::Value;
using Read = std::optional<Value>;
using Strings = std::vector<std::string>;
using Texts = std::map<std::string, Text>;
using Map = std::map<std::string, std::string>;

template <class Found>
Read boxed(std::optional<Found> found) {
  if (!found) return std::nullopt;
  return Value(*std::move(found));
}

Read read_string(TableReader& reader, const Key& key) {
  const std::optional<std::string> text = reader.string(key.name);
  const std::string wrong = text && key.wrong != nullptr ? key.wrong(*text) : std::string();
  if (!wrong.empty()) reader.error(key.name, wrong);
  return boxed(text);
}

Read read_path(TableReader& reader, const Key& key) {
  const std::optional<std::string> path = reader.path(key.name);
  const std::string wrong = path && key.wrong != nullptr ? key.wrong(*path) : std::string();
  if (!wrong.empty()) reader.error(key.name, wrong);
  return boxed(path);
}

Read read_strings(TableReader& reader, const Key& key) {
  const std::optional<Strings> all = reader.strings(key.name);
  for (const std::string& one : all.value_or(Strings())) {
    const std::string wrong = key.wrong != nullptr ? key.wrong(one) : std::string();
    if (!wrong.empty()) reader.error(key.name, wrong);
  }
  return boxed(all);
}

// What is checked are the names.
Read read_texts(TableReader& reader, const Key& key) {
  std::optional<Texts> all = reader.text_map(key.name);
  for (const auto& [name, text] : all.value_or(Texts())) {
    const std::string wrong = key.wrong != nullptr ? key.wrong(name) : std::string();
    if (!wrong.empty()) reader.error(key.name, wrong);
  }
  return boxed(std::move(all));
}

Read read_folder(TableReader& reader, const Key& key) {
  const std::optional<std::string> path = reader.path(key.name);
  if (path) reader.set_commands_dir(*path);
  return boxed(path);
}

Read read_pattern(TableReader& reader, const Key& key) {
  const std::optional<std::string> pattern = reader.string(key.name);
  if (pattern) check_pattern(reader, key.name, *pattern);
  return boxed(pattern);
}

Read read_address(TableReader& reader, const Key& key) {
  std::optional<Text> url = reader.text(key.name);
  const bool open = url && key.template_of_url && url->value.find('{') != std::string::npos;
  if (url && !open) check_text_url(reader, reader.place(key.name), reader.owner(key.name), *url);
  return boxed(std::move(url));
}

Read read_condition(TableReader& reader, const Key& key) {
  rules::Condition condition = reader.condition(key.name);
  if (condition.empty()) return std::nullopt;
  return Value(std::move(condition));
}

// A table's value as rows, each a key and the text of a value.
template <class Entries, class Write>
std::string inline_table(const Entries& entries, const Write& write) {
  std::string out;
  for (const auto& [name, value] : entries) out += (out.empty() ? "{ " : ", ") + toml_key(name) + " = " + write(value);
  return out.empty() ? out : out + " }";
}

std::string string_toml(const Value& value) {
  const auto& text = std::get<std::string>(value);
  return text.empty() ? std::string() : toml_string(text);
}

std::string strings_toml(const Value& value) {
  const auto& all = std::get<Strings>(value);
  return all.empty() ? std::string() : toml_strings(all);
}

// One is written as a command.
std::string commands_toml(const Value& value) {
  const auto& all = std::get<std::vector<Strings>>(value);
  if (all.size() == 1) return toml_strings(all.front());
  std::string out;
  for (const Strings& words : all) out += (out.empty() ? "[" : ", ") + toml_strings(words);
  return out.empty() ? out : out + "]";
}

std::string text_toml(const Value& value) {
  const auto& text = std::get<Text>(value);
  return text.value.empty() && text.origin.empty() ? std::string() : toml_of(text);
}

std::string addresses_toml(const Value& value) {
  std::string out;
  for (const Text& url : std::get<std::vector<Text>>(value)) out += (out.empty() ? "[" : ", ") + toml_of(url);
  return out.empty() ? out : out + "]";
}

std::string texts_toml(const Value& value) {
  return inline_table(std::get<Texts>(value), [](const Text& text) { return toml_of(text); });
}

std::string map_toml(const Value& value) {
  return inline_table(std::get<Map>(value), [](const std::string& text) { return toml_string(text); });
}

std::string object_toml(const Value& value) { return inline_table(std::get<Map>(value), toml_of_json); }

std::string checks_toml(const Value& value) {
  return inline_table(std::get<std::map<std::string, Map>>(value), [](const Map& pointers) {
    const std::string all = inline_table(pointers, toml_of_json);
    return all.empty() ? std::string("{}") : all;
  });
}

std::string statuses_toml(const Value& value) {
  Strings ranges;
  for (const auto& [low, high] : std::get<std::vector<std::pair<int, int>>>(value)) {
    ranges.push_back(low == high ? std::to_string(low) : std::to_string(low) + "-" + std::to_string(high));
  }
  return ranges.empty() ? std::string() : toml_strings(ranges);
}

std::string condition_toml(const Value& value) { return toml_string(std::get<rules::Condition>(value).text()); }
std::string flag_toml(const Value& value) { return std::get<bool>(value) ? "true" : "false"; }
std::string integer_toml(const Value& value) { return std::to_string(std::get<std::int64_t>(value)); }
std::string number_toml(const Value& value) { return toml_of_number(std::get<double>(value)); }
std::string size_toml(const Value& value) { return toml_string(size_text(std::get<std::int64_t>(value))); }
std::string duration_toml(const Value& value) {
  return toml_string(rules::to_string(std::get<rules::Duration>(value)));
}

// In the order of Kind.
constexpr std::array<KindRow, 30> rows{{
    {Kind::string, "a string", "\"web\"", read_string, string_toml},
    {Kind::pattern, "an RE2 pattern", "'ok|fine'", read_pattern, string_toml},
    {Kind::path, "a path", "\"/srv/app\"", read_path, string_toml},
    {Kind::folder, "a folder", "\"/srv/app\"", read_folder, string_toml},
    {Kind::flag, "true or false", "true", [](TableReader& r, const Key& key) { return boxed(r.boolean(key.name)); },
     flag_toml},
    {Kind::integer, "an integer", "3",
     [](TableReader& r, const Key& key) { return boxed(r.integer(key.name, key.least, key.most)); }, integer_toml},
    {Kind::number, "a number", "0.95", [](TableReader& r, const Key& key) { return boxed(r.number(key.name)); },
     number_toml},
    {Kind::share, "a share", "\"90%\"", [](TableReader& r, const Key& key) { return boxed(r.share(key.name)); },
     number_toml},
    {Kind::size, "a size", "\"8MiB\"", [](TableReader& r, const Key& key) { return boxed(r.size(key.name)); },
     size_toml},
    {Kind::duration, "a duration", "\"5m\"",
     [](TableReader& r, const Key& key) { return boxed(r.duration(key.name, key.shortest)); }, duration_toml},
    {Kind::choice, "one of", "", [](TableReader& r, const Key& key) { return boxed(r.word(key.name, key.words)); },
     string_toml},
    {Kind::choices, "several of", "",
     [](TableReader& r, const Key& key) { return boxed(r.words(key.name, key.words)); }, strings_toml},
    {Kind::strings, "an array of strings", "[\"a\", \"b\"]", read_strings, strings_toml},
    {Kind::argv, "a command", "[\"COMMAND\", \"ARGUMENT\"]",
     [](TableReader& r, const Key& key) { return boxed(r.argv(key.name, r.commands_dir())); }, strings_toml},
    {Kind::commands, "a command, or an array of them", "[[\"COMMAND\", \"ARGUMENT\"], [\"COMMAND\"]]",
     [](TableReader& r, const Key& key) { return boxed(r.commands(key.name, r.commands_dir())); }, commands_toml},
    {Kind::text, "a string, may be secret", "{ file = \"PATH\" }",
     [](TableReader& r, const Key& key) { return boxed(r.text(key.name)); }, text_toml},
    {Kind::address, "an address, may be secret", "\"http://127.0.0.1:3001/metrics\"", read_address, text_toml},
    {Kind::addresses, "an array of addresses", "[\"http://127.0.0.1:3001/metrics\"]", read_addresses, addresses_toml},
    {Kind::headers, "headers, may be secret", "{ Accept = \"text/plain\" }",
     [](TableReader& r, const Key& key) { return boxed(read_headers(r, key.name)); }, texts_toml},
    {Kind::texts, "a table of strings, may be secret", "{ LANG = \"C\" }", read_texts, texts_toml},
    {Kind::map, "a table of strings", "{ hits = 'hits:(\\d+)' }",
     [](TableReader& r, const Key& key) { return boxed(r.string_map(key.name)); }, map_toml},
    {Kind::fields, "a table of JSON pointers", "{ queue = \"/queue/waiting\" }", read_fields, map_toml},
    {Kind::checks, "a table of checks", "{ database = { \"/database\" = \"connected\" } }", read_checks, checks_toml},
    {Kind::object, "a table of JSON pointers and values", "{ \"/status\" = \"ok\" }", read_object, object_toml},
    {Kind::statuses, "statuses", "\"200-299\"", read_statuses, statuses_toml},
    {Kind::body, "a string, may be secret, or JSON", "{ json = { a = 1 } }", read_body, text_toml},
    {Kind::condition, "a condition", "\"error_rate > 5%\"", read_condition, condition_toml},
    {Kind::table, "a table", ""},
    {Kind::tables, "tables", ""},
    {Kind::group, "", ""},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].kind) != i) return false;
  }
  return static_cast<std::size_t>(Kind::group) + 1 == rows.size();
}
static_assert(in_order());

std::string empty_toml(Kind kind) {
  return kind == Kind::strings || kind == Kind::choices || kind == Kind::argv ? "[]" : "\"\"";
}

std::string toml_of_key(const Key& key, const void* object) {
  if (key.own != nullptr) return key.own->toml == nullptr ? std::string() : key.own->toml(object);
  const Value value = key.get(object);
  if (std::holds_alternative<std::monostate>(value)) return {};
  const std::string toml = row_of(key.kind).toml(value);
  return toml.empty() && key.even_empty ? empty_toml(key.kind) : toml;
}

}  // namespace

const KindRow& row_of(Kind kind) { return rows[static_cast<std::size_t>(kind)]; }

void write_values(TomlWriter& out, std::span<const Key> keys, const void* object, const std::string& prefix) {
  for (const Key& key : keys) {
    if (key.later || key.kind == Kind::tables) continue;
    if (key.kind == Kind::group || key.kind == Kind::table) {
      const std::string below = key.kind == Kind::table ? prefix + std::string(key.name) + "." : prefix;
      write_values(out, key.keys, key.look(object), below);
      continue;
    }
    const std::string toml = toml_of_key(key, object);
    if (!toml.empty()) out.raw(prefix + std::string(key.name), toml);
  }
}

void write_tables(TomlWriter& out, const std::string& owner, std::span<const Key> keys, const void* object) {
  for (const Key& key : keys) {
    if (key.kind != Kind::tables || key.each == nullptr) continue;
    for (const void* one : key.each(object)) {
      out.section("[[" + owner + "." + std::string(key.name) + "]]");
      write_values(out, key.keys, one);
    }
  }
}

const probes::Variety* held_by(const void* variant, std::span<const probes::Variety> varieties) {
  for (const probes::Variety& variety : varieties) {
    if (!variety.later() && variety.held(variant) != nullptr) return &variety;
  }
  return nullptr;
}

}  // namespace watcher
