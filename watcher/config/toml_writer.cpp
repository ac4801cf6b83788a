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

void TomlWriter::comment(const std::string& line) { out_ += "# " + line + "\n"; }

void TomlWriter::string(std::string_view key, std::string_view value) { raw(key, toml_string(value)); }

}  // namespace watcher
