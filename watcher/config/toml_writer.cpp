#include "watcher/config/toml_writer.hpp"

#include <boost/json.hpp>

#include "watcher/config/toml_text.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

std::string toml_of_value(const json::value& value);

std::string toml_of_object(const json::object& object) {
  std::string out;
  for (const auto& [key, member] : object) {
    out += (out.empty() ? "{ " : ", ") + toml_key(key) + " = " + toml_of_value(member);
  }
  return out.empty() ? "{}" : out + " }";
}

std::string toml_of_value(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "\"\"";
    case json::kind::bool_:
      return value.get_bool() ? "true" : "false";
    case json::kind::int64:
      return std::to_string(value.get_int64());
    case json::kind::uint64:
      return std::to_string(value.get_uint64());
    case json::kind::double_:
      return toml_of_number(value.get_double());
    case json::kind::string:
      return toml_string(std::string_view(value.get_string()));
    case json::kind::array: {
      std::string out;
      for (const json::value& element : value.get_array()) out += (out.empty() ? "[" : ", ") + toml_of_value(element);
      return out.empty() ? "[]" : out + "]";
    }
    case json::kind::object:
      return toml_of_object(value.get_object());
  }
  return "";
}

}  // namespace

std::string toml_of_number(double value) {
  const std::string text = exact_number(value);
  const bool floating = text.find_first_of(".en") != std::string::npos;
  return floating ? text : text + ".0";
}

std::string toml_of_json(const std::string& text) {
  json::error_code failure;
  const json::value value = json::parse(text, failure);
  return failure ? toml_string(text) : toml_of_value(value);
}

std::string toml_of(const Text& text) {
  if (!text.origin.empty()) return text.origin;
  return toml_string(text.secret ? std::string_view("<redacted>") : std::string_view(text.value));
}

void TomlWriter::section(const std::string& header) { out_ += (out_.empty() ? "" : "\n") + header + "\n"; }

void TomlWriter::raw(std::string_view key, const std::string& toml) { out_ += std::string(key) + " = " + toml + "\n"; }

void TomlWriter::string(std::string_view key, std::string_view value) { raw(key, toml_string(value)); }

void TomlWriter::string_unless_empty(std::string_view key, std::string_view value) {
  if (!value.empty()) string(key, value);
}

void TomlWriter::strings(std::string_view key, const std::vector<std::string>& values) {
  raw(key, toml_strings(values));
}

void TomlWriter::strings_unless_empty(std::string_view key, const std::vector<std::string>& values) {
  if (!values.empty()) strings(key, values);
}

void TomlWriter::duration(std::string_view key, rules::Duration value) { string(key, rules::to_string(value)); }
void TomlWriter::integer(std::string_view key, std::int64_t value) { raw(key, std::to_string(value)); }
void TomlWriter::boolean(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
void TomlWriter::text(std::string_view key, const Text& value) { raw(key, toml_of(value)); }

void TomlWriter::text_map(std::string_view key, const std::map<std::string, Text>& values) {
  std::string out;
  for (const auto& [name, value] : values) out += (out.empty() ? "{ " : ", ") + toml_key(name) + " = " + toml_of(value);
  if (!out.empty()) raw(key, out + " }");
}

void TomlWriter::string_map(std::string_view key, const std::map<std::string, std::string>& values) {
  std::string out;
  for (const auto& [name, value] : values) {
    out += (out.empty() ? "{ " : ", ") + toml_key(name) + " = " + toml_string(value);
  }
  if (!out.empty()) raw(key, out + " }");
}

void TomlWriter::body(const Text& body, const std::string& content_type) {
  if (!body.value.empty()) text("body", body);
  string_unless_empty("content_type", content_type);
}

void TomlWriter::expectation(const rules::Expectation& expect) {
  std::vector<std::string> ranges;
  for (const auto& [low, high] : expect.status) {
    ranges.push_back(low == high ? std::to_string(low) : std::to_string(low) + "-" + std::to_string(high));
  }
  strings_unless_empty("expect.status", ranges);
  std::string json;
  for (const auto& [pointer, value] : expect.json) {
    json += (json.empty() ? "{ " : ", ") + toml_key(pointer) + " = " + toml_of_json(value);
  }
  if (!json.empty()) raw("expect.json", json + " }");
  string_unless_empty("expect.body", expect.body);
}

}  // namespace watcher
