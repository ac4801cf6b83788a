#include "rules/base/series.hpp"

namespace rules {

namespace {

void append_escaped(std::string& out, const std::string& value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string to_string(const SeriesKey& key) {
  std::string out = key.name;
  if (key.labels.empty()) return out;
  char separator = '{';
  for (const Label& label : key.labels) {
    out += separator;
    out += label.name;
    out += "=\"";
    append_escaped(out, label.value);
    out += '"';
    separator = ',';
  }
  out += '}';
  return out;
}

}  // namespace rules
