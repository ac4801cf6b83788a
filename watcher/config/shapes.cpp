#include "watcher/config/shapes.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "probes/net/url.hpp"
#include "probes/parse/names.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::Value;
using Map = std::map<std::string, std::string>;

constexpr int status_least = 100;
constexpr int status_most = 599;

std::optional<std::pair<int, int>> parse_status_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto number = [](std::string_view digits) {
    const bool plain = digits.size() == 3 && digits.find_first_not_of("0123456789") == std::string_view::npos;
    return plain ? std::stoi(std::string(digits)) : 0;
  };
  const int low = number(text.substr(0, dash));
  const int high = dash == std::string_view::npos ? low : number(text.substr(dash + 1));
  if (low < status_least || high > status_most || high < low) return std::nullopt;
  return std::pair(low, high);
}

void read_status(TableReader& reader, const toml::node& node, std::vector<std::pair<int, int>>& out) {
  std::optional<std::pair<int, int>> range;
  if (const auto* code = node.as_integer()) range = parse_status_range(std::to_string(code->get()));
  if (const auto* text = node.as_string()) {
    std::string_view rest = text->get();
    while (true) {
      const std::size_t comma = rest.find(',');
      std::string_view one = rest.substr(0, comma);
      while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
      while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
      range = parse_status_range(one);
      if (!range || comma == std::string_view::npos) break;
      out.push_back(*range);
      rest = rest.substr(comma + 1);
    }
  }
  if (range) {
    out.push_back(*range);
    return;
  }
  reader.loading().findings.error(
      place_of(node), reader.owner("status") + ": expected a status such as 200, \"200-299\" or \"200,404\"");
}

bool is_ours_to_write(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
  return name == "content-length" || name == "transfer-encoding";
}

void check_field(probes::Given& given, std::string_view key, const std::string& field) {
  const std::string wrong = probes::wrong_field(field);
  if (!wrong.empty()) given.error(key, wrong);
}

void check_pointer(probes::Given& given, std::string_view key, const std::string& pointer) {
  const std::string wrong = probes::wrong_pointer(pointer);
  if (!wrong.empty()) given.error(key, wrong);
}

}  // namespace

std::optional<Value> read_addresses(TableReader& reader, const Key& key) {
  const toml::node* const node = reader.node(key.name);
  if (node == nullptr) return std::nullopt;
  const toml::array* const array = node->as_array();
  if (array == nullptr) {
    reader.error(key.name, "expected an array of strings");
    return std::nullopt;
  }
  std::vector<Text> out;
  for (const toml::node& one : *array) {
    std::optional<Text> url = read_text(reader.loading(), one, reader.owner(key.name));
    if (!url) continue;
    check_text_url(reader, place_of(one), reader.owner(key.name), *url);
    const auto is_same = [&url](const Text& other) { return other.value == url->value; };
    if (std::any_of(out.begin(), out.end(), is_same))
      reader.loading().findings.error(place_of(one),
                                      reader.owner(key.name) + ": is there twice: one instance would count as two");
    out.push_back(*std::move(url));
  }
  if (array->empty()) reader.error(key.name, "expected at least one address");
  return out;
}

std::optional<Value> read_fields(TableReader& reader, const Key& key) {
  std::optional<Map> out = reader.string_map(key.name);
  if (!out) return std::nullopt;
  for (const auto& [field, pointer] : *out) {
    check_field(reader, key.name, field);
    check_pointer(reader, key.name, pointer);
  }
  return *std::move(out);
}

std::optional<Value> read_checks(TableReader& reader, const Key& key) {
  const toml::table* const checks = reader.subtable(key.name);
  if (checks == nullptr) return std::nullopt;
  TableReader each(reader.loading(), *checks, reader.owner(key.name));
  std::map<std::string, Map> out;
  for (const auto& [name, value] : *checks) {
    const std::string field(name.str());
    check_field(reader, key.name, field);
    const toml::table* const pointers = each.subtable(field);
    if (pointers == nullptr) continue;
    for (const auto& [pointer, wanted] : *pointers) {
      check_pointer(each, field, std::string(pointer.str()));
      out[field].emplace(pointer.str(), json_text(reader.loading(), wanted, each.owner(field)));
    }
  }
  return out;
}

std::optional<Value> read_object(TableReader& reader, const Key& key) {
  const toml::table* const table = reader.subtable(key.name);
  if (table == nullptr) return std::nullopt;
  Map out;
  for (const auto& [pointer, value] : *table) {
    check_pointer(reader, key.name, std::string(pointer.str()));
    out.emplace(pointer.str(), json_text(reader.loading(), value, reader.owner(key.name)));
  }
  return out;
}

std::optional<Value> read_statuses(TableReader& reader, const Key& key) {
  const toml::node* const node = reader.node(key.name);
  if (node == nullptr) return std::nullopt;
  std::vector<std::pair<int, int>> out;
  if (const toml::array* several = node->as_array()) {
    for (const toml::node& one : *several) read_status(reader, one, out);
    if (several->empty()) reader.error(key.name, "expected at least one status; leave it out for \"200-299\"");
  } else {
    read_status(reader, *node, out);
  }
  return out;
}

std::optional<Value> read_body(TableReader& reader, const Key& key) {
  const toml::node* const node = reader.node(key.name);
  if (node == nullptr) return std::nullopt;
  const toml::table* const table = node->as_table();
  if (table == nullptr || !table->contains("json")) {
    std::optional<Text> text = read_text(reader.loading(), *node, reader.owner(key.name));
    if (!text) return std::nullopt;
    return *std::move(text);
  }
  TableReader parts(reader.loading(), *table, reader.owner(key.name));
  const toml::table* const object = parts.subtable("json");
  parts.finish();
  if (object == nullptr) return std::nullopt;
  return json_body(reader.loading(), *object, parts.owner("json"));
}

std::optional<std::map<std::string, Text>> read_headers(TableReader& reader, std::string_view key) {
  static const std::string_view token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
  std::optional<std::map<std::string, Text>> out = reader.text_map(key);
  if (!out) return std::nullopt;
  for (const auto& [name, text] : *out) {
    if (is_ours_to_write(name)) reader.error(key, name + " says how long what is sent is, which we know; leave it out");
    if (name.empty() || name.find_first_not_of(token) != std::string::npos)
      reader.error(key, "\"" + name + "\" is not a header's name");
    if (std::any_of(text.value.begin(), text.value.end(), is_control))
      reader.error(key, "the value of " + name + " has a line break or another control character in it");
  }
  return out;
}

void check_pattern(TableReader& reader, std::string_view key, const std::string& pattern) {
  const re2::RE2 compiled(pattern, re2::RE2::Quiet);
  if (!compiled.ok()) reader.error(key, "not an RE2 pattern: " + compiled.error());
}

void check_url(Loading& loading, Place place, const std::string& owner, const std::string& url) {
  const rules::Parsed<probes::Url> parsed = probes::parse_url(url);
  const auto* const mistake = std::get_if<rules::SyntaxError>(&parsed);
  if (mistake == nullptr) return;
  loading.findings.error(loading.source.inside_string(place, mistake->offset), owner + ": " + mistake->what);
}

void check_text_url(TableReader& reader, Place place, const std::string& owner, const Text& url) {
  const std::string shown = url.secret ? owner + " (from " + url.origin + ")" : owner;
  check_url(reader.loading(), place, shown, url.value);
}

}  // namespace watcher
