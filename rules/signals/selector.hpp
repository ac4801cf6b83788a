#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/parse.hpp"
#include "rules/base/series.hpp"

namespace rules {

enum class MatchKind { equal, not_equal, regex, not_regex };

// One label matcher of a PromQL selector; regular expressions are RE2 and anchored at both ends, as in Prometheus.
class Matcher {
 public:
  // Returns a SyntaxError (offset 0) when the pattern of a regex matcher is not RE2.
  static Parsed<Matcher> make(std::string label, MatchKind kind, std::string value);

  const std::string& label() const { return label_; }
  MatchKind kind() const { return kind_; }
  const std::string& value() const { return value_; }
  // An absent label has the value "".
  bool matches(std::string_view label_value) const;

  friend bool operator==(const Matcher& a, const Matcher& b) {
    return a.label_ == b.label_ && a.kind_ == b.kind_ && a.value_ == b.value_;
  }

 private:
  struct Pattern;  // the compiled RE2, shared by copies because it is immutable
  std::string label_;
  MatchKind kind_ = MatchKind::equal;
  std::string value_;
  std::shared_ptr<const Pattern> pattern_;
};

// A PromQL instant selector: name{label="value",...}, or {"a name in quotes","a.label"="value",...} where a name has
// other characters than [a-zA-Z0-9_], or {__name__=~"pattern",...}, whose name is empty.
struct Selector {
  std::string name;
  std::vector<Matcher> matchers;

  bool matches(const SeriesKey& key) const;         // name and labels
  bool matches_labels(const SeriesKey& key) const;  // labels only
  friend bool operator==(const Selector&, const Selector&) = default;
};

Parsed<Selector> parse_selector(std::string_view text);
std::string to_string(const Selector& selector);

}  // namespace rules
