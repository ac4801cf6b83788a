#include "watcher/serve/json_text.hpp"

#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

// Beyond these a number has more digits than anybody reads.
constexpr double plain_max = 1e15;
constexpr double plain_min = 1e-6;

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  const double size = std::abs(number);
  const bool plain = number == 0 || (size < plain_max && size >= plain_min);
  std::array<char, 64> buffer{};
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format);
  out.append(buffer.data(), written.ptr);
}

void append(std::string& out, const json::value& value);

void append_object(std::string& out, const json::object& object) {
  out += '{';
  const char* separator = "";
  for (const auto& member : object) {
    out += separator;
    out += json::serialize(json::string_view(member.key()));
    out += ':';
    append(out, member.value());
    separator = ",";
  }
  out += '}';
}

void append(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) return append_object(out, *object);
  if (const auto* number = value.if_double()) return append_number(out, *number);
  const auto* array = value.if_array();
  if (array == nullptr) {
    out += json::serialize(value);
    return;
  }
  out += '[';
  const char* separator = "";
  for (const json::value& element : *array) {
    out += separator;
    append(out, element);
    separator = ",";
  }
  out += ']';
}

}  // namespace

std::string to_text(const json::value& value) {
  std::string out;
  append(out, value);
  return visible_json(out);
}

std::string to_rfc3339(rules::Instant instant) {
  using std::chrono::floor;
  const auto since = floor<std::chrono::milliseconds>(instant.time_since_epoch());
  const std::chrono::sys_time<std::chrono::milliseconds> time(since);
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 96> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02ld:%02ld:%02lld.%03lldZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<long>(clock.hours().count()), static_cast<long>(clock.minutes().count()),
                static_cast<long long>(clock.seconds().count()), static_cast<long long>(clock.subseconds().count()));
  return buffer.data();
}

json::value to_json(std::optional<rules::Instant> instant) {
  if (!instant) return nullptr;
  return json::value(to_rfc3339(*instant));
}

json::value to_json(std::optional<double> number) {
  if (!number) return nullptr;
  return *number;
}

json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

}  // namespace watcher
