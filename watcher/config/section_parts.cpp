#include <re2/re2.h>

#include <algorithm>

#include "probes/net/url.hpp"
#include "watcher/config/sections.hpp"

namespace watcher {

namespace {

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

}  // namespace

std::vector<NamedTable> named_tables(TableReader& root, std::string_view kind, bool (*is_name)(std::string_view),
                                     std::string_view pattern) {
  std::vector<NamedTable> out;
  const toml::table* const tables = root.subtable(kind);
  if (tables == nullptr) return out;
  for (const auto& [key, value] : *tables) {
    const std::string name(key.str());
    const toml::source_position at = key.source().begin;
    const Place place{static_cast<std::size_t>(at.line), static_cast<std::size_t>(at.column)};
    const std::string header = "[" + std::string(kind) + "." + name + "]";
    if (!is_name(name)) {
      root.loading().findings.error(place, header + ": the name \"" + name + "\" must match " + std::string(pattern));
    }
    if (const toml::table* table = value.as_table()) {
      out.push_back({name, table});
    } else {
      root.loading().findings.error(place, std::string(kind) + "." + name + ": expected a table " + header +
                                               ", found " + std::string(type_name(value)));
    }
  }
  return out;
}

rules::Expectation read_expectation(TableReader& reader, bool& given) {
  rules::Expectation out;
  const toml::table* const table = reader.subtable("expect");
  if (table == nullptr) return out;
  TableReader expect(reader.loading(), *table, reader.owner("expect"));
  if (const toml::node* status = expect.node("status")) {
    if (const toml::array* several = status->as_array()) {
      for (const toml::node& one : *several) read_status(expect, one, out.status);
    } else {
      read_status(expect, *status, out.status);
    }
  }
  if (const toml::table* json = expect.subtable("json")) {
    for (const auto& [pointer, value] : *json) {
      if (!pointer.str().empty() && pointer.str().front() != '/') {
        expect.error("json", "\"" + std::string(pointer.str()) + "\" is not a JSON pointer; write \"/" +
                                 std::string(pointer.str()) + "\"");
      }
      out.json.emplace(pointer.str(), json_text(reader.loading(), value, expect.owner("json")));
    }
  }
  out.body = expect.string("body").value_or("");
  check_pattern(expect, "body", out.body);
  expect.finish();
  given = !table->empty();
  return out;
}

void read_body(TableReader& reader, Text& body, std::string& content_type) {
  const toml::node* const node = reader.node("body");
  if (const std::optional<std::string> type = reader.string("content_type")) content_type = *type;
  if (node == nullptr) return;
  const toml::table* const table = node->as_table();
  const toml::node* const json = table == nullptr ? nullptr : table->get("json");
  if (json == nullptr) {
    if (std::optional<Text> text = read_text(reader.loading(), *node, reader.owner("body"))) body = *std::move(text);
    return;
  }
  TableReader parts(reader.loading(), *table, reader.owner("body"));
  if (const toml::table* object = parts.subtable("json")) {
    body = json_body(reader.loading(), *object, parts.owner("json"));
    if (content_type.empty()) content_type = "application/json";
  }
  parts.finish();
}

std::map<std::string, Text> read_headers(TableReader& reader) {
  static const std::string_view token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
  std::map<std::string, Text> out = reader.text_map("header").value_or(std::map<std::string, Text>());
  for (const auto& [name, text] : out) {
    if (name.empty() || name.find_first_not_of(token) != std::string::npos)
      reader.error("header", "\"" + name + "\" is not a header's name");
    if (std::any_of(text.value.begin(), text.value.end(), is_control))
      reader.error("header", "the value of " + name + " has a line break or another control character in it");
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

std::optional<rules::Severity> severity_named(std::string_view word) {
  for (const rules::Severity severity :
       {rules::Severity::p0, rules::Severity::p1, rules::Severity::p2, rules::Severity::p3}) {
    if (rules::to_string(severity) == word) return severity;
  }
  return std::nullopt;
}

}  // namespace watcher
