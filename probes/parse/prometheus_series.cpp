#include "probes/parse/prometheus_series.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "probes/parse/characters.hpp"
#include "probes/parse/prometheus_text.hpp"

namespace probes {

namespace {

// Where the string that begins with the quote at `at` ends: after its closing quote. npos: it is not closed.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.npos;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Other escapes than these three stay as they are written, as in Prometheus.
std::string unescaped(std::string_view quoted) {
  std::string out;
  out.reserve(quoted.size());
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    const char next = quoted[i] == '\\' && i + 1 < quoted.size() ? quoted[i + 1] : '\0';
    if (next == '\\' || next == '"' || next == 'n') {
      out += next == 'n' ? '\n' : next;
      ++i;
    } else {
      out += quoted[i];
    }
  }
  return out;
}

// Reads what stands between the braces, element by element.
class LabelReader {
 public:
  LabelReader(std::string_view text, rules::SeriesKey& key) : text_(text), key_(key) {}

  // Empty: all is well. Otherwise what is wrong.
  std::string read() {
    skip();
    while (at_ < text_.size()) {
      if (key_.labels.size() == prometheus_labels_max) {
        return "more than " + std::to_string(prometheus_labels_max) + " labels";
      }
      std::string wrong = read_element();
      if (!wrong.empty()) return wrong;
      skip();
      if (at_ == text_.size()) break;
      if (text_[at_] != ',') return "expected , or } after a label";
      ++at_;
      skip();
    }
    return {};
  }

 private:
  void skip() { at_ = skip_blanks(text_, at_); }

  // `name="value"`, or a quoted metric name, which has no `=`.
  std::string read_element() {
    const bool quoted = text_[at_] == '"';
    std::string name;
    if (quoted) {
      std::optional<std::string> string = read_string();
      if (!string) return "a quote is not closed";
      name = std::move(*string);
    } else {
      const std::size_t begin = at_;
      if (!label_name_begin.has(text_[at_])) return "expected a label's name";
      while (at_ < text_.size() && label_name_part.has(text_[at_])) ++at_;
      name = text_.substr(begin, at_ - begin);
    }
    skip();
    if (at_ < text_.size() && text_[at_] == '=') {
      ++at_;
      return read_value(std::move(name));
    }
    if (!quoted) return "expected = after the label's name " + name;
    if (!key_.name.empty() || !key_.labels.empty()) return "a quoted name without = that is not the metric's";
    key_.name = std::move(name);
    return key_.name.empty() ? "the metric's name is empty" : "";
  }

  std::string read_value(std::string name) {
    skip();
    if (at_ == text_.size() || text_[at_] != '"') return "expected a quoted value for the label " + name;
    std::optional<std::string> value = read_string();
    if (!value) return "a quote is not closed";
    if (name == "__name__" || name.empty()) return "a label may not be called \"" + name + "\"";
    key_.labels.push_back({std::move(name), std::move(*value)});
    return {};
  }

  std::optional<std::string> read_string() {
    const std::size_t end = end_of_quoted(text_, at_);
    if (end == text_.npos) return std::nullopt;
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 2);
    at_ = end;
    return unescaped(inside);
  }

  std::string_view text_;
  rules::SeriesKey& key_;
  std::size_t at_ = 0;
};

// Sorts the labels and drops the empty ones. The name of a label that stands twice, or "".
std::string tidy_labels(std::vector<rules::Label>& labels) {
  std::sort(labels.begin(), labels.end());
  const auto twice =
      std::adjacent_find(labels.begin(), labels.end(), [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != labels.end()) return twice->name;
  std::erase_if(labels, [](const rules::Label& label) { return label.value.empty(); });
  return {};
}

// How many bytes the UTF-8 character that begins with `first` has, and its lowest legal value; 0: it begins
// none.
struct Utf8Lead {
  std::size_t size = 0;
  std::uint32_t bits = 0;
  std::uint32_t least = 0;
};

Utf8Lead utf8_lead(unsigned char first) {
  if (first < 0x80) return {1, first, 0};
  if ((first & 0xE0) == 0xC0) return {2, first & 0x1FU, 0x80};
  if ((first & 0xF0) == 0xE0) return {3, first & 0x0FU, 0x800};
  if ((first & 0xF8) == 0xF0) return {4, first & 0x07U, 0x10000};
  return {};
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Lead lead = utf8_lead(static_cast<unsigned char>(text[at]));
    if (lead.size == 0 || lead.size > text.size() - at) return false;
    std::uint32_t value = lead.bits;
    for (std::size_t i = 1; i < lead.size; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xC0) != 0x80) return false;
      value = (value << 6) | (next & 0x3FU);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < lead.least || value > 0x10FFFF || surrogate) return false;
    at += lead.size;
  }
  return true;
}

std::optional<std::size_t> series_text_size(std::string_view line) {
  std::size_t name_end = 0;
  while (name_end < line.size() && metric_name_part.has(line[name_end])) ++name_end;
  const std::size_t brace = skip_blanks(line, name_end);
  if (brace == line.size() || line[brace] != '{') {
    if (name_end == 0) return std::nullopt;
    return name_end;
  }
  for (std::size_t at = brace + 1; at < line.size();) {
    if (line[at] == '}') return at + 1;
    if (line[at] == '"') {
      at = end_of_quoted(line, at);
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

std::variant<rules::SeriesKey, MalformedSeries> parse_series(std::string_view text) {
  rules::SeriesKey key;
  std::size_t name_end = 0;
  while (name_end < text.size() && metric_name_part.has(text[name_end])) ++name_end;
  key.name = text.substr(0, name_end);
  const std::size_t brace = skip_blanks(text, name_end);
  if (brace < text.size()) {
    if (text[brace] != '{' || text.back() != '}') return MalformedSeries{"expected { after the name"};
    LabelReader reader(text.substr(brace + 1, text.size() - brace - 2), key);
    std::string wrong = reader.read();
    if (!wrong.empty()) return MalformedSeries{std::move(wrong)};
  }
  if (key.name.empty()) return MalformedSeries{"there is no metric name"};
  if (!is_utf8(text)) return MalformedSeries{"the labels are not UTF-8"};
  const std::string twice = tidy_labels(key.labels);
  if (!twice.empty()) return MalformedSeries{"the label " + twice + " stands twice"};
  return key;
}

}  // namespace probes
