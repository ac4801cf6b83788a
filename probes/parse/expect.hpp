#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "probes/parse/json.hpp"
#include "rules/base/fault.hpp"
#include "rules/base/parse.hpp"
#include "rules/base/series.hpp"
#include "rules/incidents/plan.hpp"

namespace re2 {
class RE2;
}

namespace probes {

// "200-299, 304": inclusive ranges of 100 to 599.
rules::Parsed<std::vector<std::pair<int, int>>> parse_status_ranges(std::string_view text);

// What of the answer contradicts the expectation. A status that none is expected of: 2xx is fine, 5xx is
// server_error, any other is FaultKind::status. What contradicts an explicit expectation is a contradiction
// (5xx stays server_error), also a body that is not JSON where JSON was expected.
// There is `room` for the values of a body: where it takes more, nothing can be told of it.
std::optional<rules::Fault> check(const rules::Expectation& expect, unsigned status, std::string_view body,
                                  std::size_t room = json_room_any);

// An expectation for answers that come again and again: its pattern is compiled once.
class Expected {
 public:
  explicit Expected(rules::Expectation expect);
  ~Expected();
  Expected(Expected&&) noexcept;

  const rules::Expectation& expectation() const { return expect_; }
  // As the function of that name.
  std::optional<rules::Fault> check(unsigned status, std::string_view body, std::size_t room = json_room_any) const;

 private:
  rules::Expectation expect_;
  std::unique_ptr<const re2::RE2> body_;  // null: any body will do
};

// The numbers (`json`: field -> pointer) and checks (`check`: field -> pointers and their JSON texts, 0 or 1)
// that an http probe takes from a body. A body that is not JSON, or lacks a number, is FaultKind::parse. A
// check whose pointer points at nothing is 0.
class JsonFields {
 public:
  JsonFields(std::map<std::string, std::string> json, std::map<std::string, std::map<std::string, std::string>> checks);
  bool empty() const { return numbers_.empty() && checks_.empty(); }
  std::variant<std::vector<rules::Reading>, rules::Fault> read(std::string_view body,
                                                               std::size_t room = json_room_any) const;

 private:
  struct Number {
    rules::SharedSeriesKey series;
    std::string pointer;
  };
  struct Check {
    rules::SharedSeriesKey series;
    std::map<std::string, std::string> expected;
  };
  std::vector<Number> numbers_;
  std::vector<Check> checks_;
};

}  // namespace probes
