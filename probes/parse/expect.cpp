#include "probes/parse/expect.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <system_error>

#include "probes/parse/json.hpp"
#include "probes/parse/number.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;

constexpr int status_min = 100;
constexpr int status_max = 599;
constexpr std::size_t shown_max = 120;  // bytes of a value from the answer that a message shows

std::optional<int> parse_status(std::string_view text) {
  int status = 0;
  const char* const end = text.data() + text.size();
  const auto [ptr, error] = std::from_chars(text.data(), end, status);
  if (error != std::errc() || ptr != end || status < status_min || status > status_max) return std::nullopt;
  return status;
}

std::optional<std::pair<int, int>> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::optional<int> first = parse_status(trimmed(text.substr(0, dash)));
  const std::optional<int> last = dash == text.npos ? first : parse_status(trimmed(text.substr(dash + 1)));
  if (!first || !last || *first > *last) return std::nullopt;
  return std::pair(*first, *last);
}

std::string ranges_text(const std::vector<std::pair<int, int>>& ranges) {
  std::string out;
  for (const auto& [first, last] : ranges) {
    if (!out.empty()) out += ", ";
    out += std::to_string(first);
    if (last != first) out += "-" + std::to_string(last);
  }
  return out;
}

std::optional<Fault> check_status(const std::vector<std::pair<int, int>>& ranges, unsigned status) {
  const int code = static_cast<int>(status);
  const auto holds = [code](const auto& range) { return range.first <= code && code <= range.second; };
  const bool expected = ranges.empty() ? code / 100 == 2 : std::any_of(ranges.begin(), ranges.end(), holds);
  if (expected) return std::nullopt;
  const std::string what = "status " + std::to_string(code) + ", expected ";
  if (code >= 500) return Fault{FaultKind::server_error, what + (ranges.empty() ? "2xx" : ranges_text(ranges))};
  if (!ranges.empty()) return Fault{FaultKind::contradiction, what + ranges_text(ranges)};
  return Fault{FaultKind::status, what + "2xx; if this is an outage, say which status is expected"};
}

std::string shown(const std::optional<std::string>& value) {
  if (!value) return "nothing";
  if (value->size() <= shown_max) return *value;
  return value->substr(0, shown_max) + "...";
}

std::optional<Fault> check_json(const std::map<std::string, std::string>& expected, std::string_view body,
                                std::size_t room) {
  if (expected.empty()) return std::nullopt;
  const std::variant<JsonBody, Fault> parsed = JsonBody::parse(body, room);
  if (const Fault* const fault = std::get_if<Fault>(&parsed)) {
    return fault->kind == FaultKind::no_memory ? *fault : Fault{FaultKind::contradiction, fault->what};
  }
  const JsonBody& json = std::get<JsonBody>(parsed);
  for (const auto& [pointer, value] : expected) {
    if (json.equals(pointer, value)) continue;
    const std::string what = pointer + " is " + shown(json.text(pointer)) + ", expected " + value;
    return Fault{FaultKind::contradiction, what};
  }
  return std::nullopt;
}

rules::SharedSeriesKey field(const std::string& name) {
  return std::make_shared<const rules::SeriesKey>(rules::SeriesKey{name, {}});
}

}  // namespace

rules::Parsed<std::vector<std::pair<int, int>>> parse_status_ranges(std::string_view text) {
  std::vector<std::pair<int, int>> ranges;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::optional<std::pair<int, int>> range = parse_range(trimmed(text.substr(at, comma - at)));
    if (!range) return rules::SyntaxError{at, "expected status codes such as 200, 200-299 or 200-299, 304"};
    ranges.push_back(*range);
    at = comma + 1;
  }
  return ranges;
}

std::optional<Fault> check(const rules::Expectation& expect, unsigned status, std::string_view body, std::size_t room) {
  return Expected(expect).check(status, body, room);
}

Expected::Expected(rules::Expectation expect) : expect_(std::move(expect)) {
  if (!expect_.body.empty()) body_ = std::make_unique<const RE2>(expect_.body, RE2::Quiet);
}

Expected::~Expected() = default;
Expected::Expected(Expected&&) noexcept = default;

std::optional<Fault> Expected::check(unsigned status, std::string_view body, std::size_t room) const {
  std::optional<Fault> fault = check_status(expect_.status, status);
  if (!fault) fault = check_json(expect_.json, body, room);
  if (fault || body_ == nullptr) return fault;
  if (RE2::PartialMatch(re2::StringPiece(body.data(), body.size()), *body_)) return {};
  return Fault{FaultKind::contradiction, "the body has nothing that matches '" + expect_.body + "'"};
}

JsonFields::JsonFields(std::map<std::string, std::string> json,
                       std::map<std::string, std::map<std::string, std::string>> checks) {
  for (auto& [name, pointer] : json) numbers_.push_back({field(name), std::move(pointer)});
  for (auto& [name, expected] : checks) checks_.push_back({field(name), std::move(expected)});
}

std::variant<std::vector<rules::Reading>, Fault> JsonFields::read(std::string_view body, std::size_t room) const {
  std::vector<rules::Reading> readings;
  if (empty()) return readings;
  std::variant<JsonBody, Fault> parsed = JsonBody::parse(body, room);
  if (auto* const fault = std::get_if<Fault>(&parsed)) return std::move(*fault);
  const JsonBody& json = std::get<JsonBody>(parsed);
  readings.reserve(numbers_.size() + checks_.size());
  for (const auto& [series, pointer] : numbers_) {
    const std::optional<double> value = json.number(pointer);
    if (!value) {
      const std::string what = pointer + " is " + shown(json.text(pointer)) + ", expected a number";
      return Fault{FaultKind::parse, what};
    }
    readings.push_back({series, *value});
  }
  for (const auto& [series, expected] : checks_) {
    const auto holds = [&json](const auto& pair) { return json.equals(pair.first, pair.second); };
    readings.push_back({series, std::all_of(expected.begin(), expected.end(), holds) ? 1.0 : 0.0});
  }
  return readings;
}

}  // namespace probes
