#include "watcher/report/text.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "rules/base/commit.hpp"
#include "rules/conditions/unit.hpp"
#include "rules/engine/titles.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

using namespace std::chrono;

constexpr std::size_t line_max = 2000;  // bytes of one line of words: more is nothing to read

struct CivilTime {
  year_month_day day;
  hh_mm_ss<milliseconds> time;
};

CivilTime civil(rules::Instant at) {
  const sys_time<milliseconds> wall(floor<milliseconds>(at.time_since_epoch()));
  const auto day = floor<days>(wall);
  return {year_month_day(day), hh_mm_ss<milliseconds>(wall - day)};
}

std::string padded(int number, int width) {
  const std::string digits = std::to_string(number);
  const int missing = width - static_cast<int>(digits.size());
  return std::string(static_cast<std::size_t>(std::max(missing, 0)), '0') + digits;
}

std::string date_text(const CivilTime& t) {
  return padded(int(t.day.year()), 4) + "-" + padded(static_cast<int>(unsigned(t.day.month())), 2) + "-" +
         padded(static_cast<int>(unsigned(t.day.day())), 2);
}

std::string clock_text(const CivilTime& t) {
  return padded(static_cast<int>(t.time.hours().count()), 2) + ":" +
         padded(static_cast<int>(t.time.minutes().count()), 2) + ":" +
         padded(static_cast<int>(t.time.seconds().count()), 2);
}

std::size_t longest_run(std::string_view text, char c) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char each : text) {
    run = each == c ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// No more is escaped than must be: people read the report in a terminal as well.
bool is_markup(const std::string& line, std::size_t at) {
  const char c = line[at];
  const bool word_before = at > 0 && is_word(line[at - 1]);
  const bool word_after = at + 1 < line.size() && is_word(line[at + 1]);
  if (c == '_') return !word_before || !word_after;
  if (c == '&') return word_after || line.compare(at, 2, "&#") == 0;
  if (at == 0 && std::string_view("#>-+=").find(c) != std::string_view::npos) return true;
  return std::string_view("\\`*[]<|~").find(c) != std::string_view::npos;
}

}  // namespace

std::string utc_text(rules::Instant at) { return date_text(civil(at)) + " " + clock_text(civil(at)); }

std::string iso_text(rules::Instant at) {
  const CivilTime t = civil(at);
  return date_text(t) + "T" + clock_text(t) + "." + padded(static_cast<int>(t.time.subseconds().count()), 3) + "Z";
}

std::string duration_text(rules::Duration length) {
  if (length < rules::Duration::zero()) return "-" + duration_text(-length);
  char text[32];
  if (length == rules::Duration::zero()) return "0s";
  if (length < seconds(1)) return std::to_string(duration_cast<milliseconds>(length).count()) + "ms";
  if (length < seconds(10) && length % seconds(1) != rules::Duration::zero()) {
    std::snprintf(text, sizeof text, "%.1fs", std::floor(rules::seconds(length) * 10) / 10);
    return text;
  }
  struct Unit {
    nanoseconds size;
    const char* name;
  };
  constexpr Unit units[] = {{hours(24), "d"}, {hours(1), "h"}, {minutes(1), "m"}, {seconds(1), "s"}};
  std::string result;
  int written = 0;
  for (const Unit& unit : units) {
    const auto count = length / unit.size;
    length %= unit.size;
    if (count > 0) result += (result.empty() ? "" : " ") + std::to_string(count) + unit.name;
    if (count > 0 || written > 0) ++written;
    if (written == 2) break;
  }
  return result;
}

std::string number_text(double value, std::string_view unit) { return rules::in_unit(value, unit); }

std::string value_text(const rules::Comparison& comparison) {
  if (comparison.left_out) return "left out: no baseline";
  if (!comparison.value.value) return "unknown: " + enumerator_name(comparison.value.cause);
  return (comparison.value.approximate ? "≈ " : "") + number_text(*comparison.value.value, comparison.unit);
}

std::string short_revision(const rules::Revision& revision, const std::string& label) {
  if (!label.empty() && label != revision.text) return rules::named(revision, label);
  constexpr std::size_t short_length = 12;
  return rules::is_commit(revision.text) ? revision.text.substr(0, short_length) : revision.text;
}

std::string from_of(const rules::IncidentRecord& incident) {
  return short_revision(incident.from, incident.from_label);
}

std::string to_of(const rules::IncidentRecord& incident) { return short_revision(incident.to, incident.to_label); }

std::string clean_line(std::string_view bytes, std::size_t bytes_max) {
  std::string result = visible(bytes);
  while (!result.empty() && (result.back() == '\n' || result.back() == ' ')) result.pop_back();
  std::replace(result.begin(), result.end(), '\n', ' ');
  std::replace(result.begin(), result.end(), '\t', ' ');
  if (result.size() <= bytes_max) return result;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(result[end]) & 0xC0) == 0x80) --end;
  return result.substr(0, end) + "…";
}

std::string_view first_line(std::string_view bytes) { return bytes.substr(0, bytes.find('\n')); }

std::string markdown_text(std::string_view bytes) {
  const std::string line = clean_line(bytes, line_max);
  std::string result;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (is_markup(line, i)) result += '\\';
    result += line[i];
  }
  // "1. " and "1) " begin a list.
  const std::size_t digits = result.find_first_not_of("0123456789");
  const bool numbered = digits != std::string::npos && digits > 0 && (result[digits] == '.' || result[digits] == ')');
  if (numbered && (digits + 1 == result.size() || result[digits + 1] == ' ')) result.insert(digits, 1, '\\');
  return result;
}

std::string markdown_code(std::string_view bytes, Place place) {
  std::string content = clean_line(bytes, line_max);
  if (content.empty()) return "–";
  const std::string ticks(longest_run(content, '`') + 1, '`');
  if (place == Place::table) {
    for (std::size_t at = content.find('|'); at != std::string::npos; at = content.find('|', at + 2))
      content.insert(at, 1, '\\');
  }
  const std::string pad = content.front() == '`' || content.back() == '`' ? " " : "";
  return ticks + pad + content + pad + ticks;
}

std::string markdown_block(std::string_view bytes, std::string_view indent) {
  const std::string content = visible(bytes);
  const std::string fence(std::max<std::size_t>(longest_run(content, '`') + 1, 3), '`');
  std::string result = std::string(indent) + fence + "text\n";
  std::string_view rest = content;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) result += std::string(indent) + std::string(rest.substr(0, end));
    result += '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return result + std::string(indent) + fence + "\n";
}

}  // namespace watcher
