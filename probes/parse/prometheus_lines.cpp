#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "probes/parse/characters.hpp"
#include "probes/parse/number.hpp"
#include "probes/parse/prometheus_series.hpp"
#include "probes/parse/prometheus_state.hpp"

// What stands behind a series' name and labels, of those that are wanted and, on some pages, of all others.

namespace probes {

namespace {

constexpr std::string_view no_number = "the value is not a number";
// So that what is read strictly for no reason costs next to nothing.
constexpr int pages_between_strict = 60;

// Behind the value: perhaps a timestamp, perhaps an exemplar.
std::optional<std::string_view> mistake_after_value(std::string_view rest) {
  if (!rest.empty() && rest.front() != '#' && !parse_number(take_word(rest))) return "the timestamp is not a number";
  if (!rest.empty() && rest.front() != '#') return "more than a value and a timestamp";
  return std::nullopt;
}

// A whole one, which a line could be.
bool is_sample(std::string_view text) {
  const std::optional<std::size_t> size = series_text_size(text);
  if (!size) return false;
  std::string_view rest = without_blanks(text.substr(*size));
  return parse_number(take_word(rest)) && !mistake_after_value(rest);
}

constexpr std::string_view swallowed = "another sample stands in it; its line has lost its begin";

}  // namespace

// What is passed over of a line, a comment or an exemplar, may have swallowed the next one, whose line end was lost.
bool PrometheusText::State::swallows(std::string_view passed_over) const {
  return is_strict && wanted.is_glued_in(passed_over, is_sample);
}

void PrometheusText::State::read_comment(std::string_view line) {
  if (line.starts_with(eof_text)) eof_line = line_number;
  is_repeated = false;
  // A sample that was put out of use swallows nothing.
  const std::size_t begin = std::min(line.find_first_not_of("# \t"), line.size());
  if (swallows(line.substr(begin))) fail(line, swallowed);
}

// What comes after the series: a value, perhaps a timestamp, perhaps an exemplar.
void PrometheusText::State::read_value(std::string_view rest, const SeriesMemory::Sighting& sighting,
                                       std::string_view line) {
  const SeriesMemory::Series& series = *sighting.series;
  if (sighting.repeated) {
    return fail(line, "this series stands in the page already, in line " + std::to_string(series.line));
  }
  rest = without_blanks(rest);
  const std::string_view number = take_word(rest);
  const std::optional<double> value = parse_number(number);
  if (!value) return fail(line, no_number);
  if (const auto what = mistake_after_value(rest)) return fail(line, *what);
  if (swallows(rest)) return fail(line, swallowed);
  is_any_read = true;
  if (series.wanted) readings.push_back({series.key, *value});
}

// A line that nothing selects as if something did: behind its own value another line may begin, whose line end was
// lost.
void PrometheusText::State::check_whole(std::string_view line) {
  line = without_blanks(line);
  const std::optional<std::size_t> size = series_text_size(line);
  if (!size) return pass_over(line, "a quote or a brace is not closed");
  std::string_view rest = without_blanks(line.substr(*size));
  if (rest.empty()) return pass_over(line, not_a_sample);
  const std::string_view from_value = rest;
  const bool is_number = parse_number(take_word(rest)).has_value();
  const auto what = is_number ? mistake_after_value(rest) : std::optional(no_number);
  if (!what && swallows(rest)) {
    fail(line, swallowed);
  } else if (!what) {
    is_any_read = true;
  } else if (wanted.is_named_after_number(from_value) || (is_number && wanted.is_named_after_number(rest))) {
    fail(line, *what);
  } else {
    pass_over(line, *what);
  }
}

// After a page that had other series than the one before, or mistakes, and now and then besides.
void PrometheusText::State::choose_strictness() {
  const bool is_doubtful = is_changed || unread.lines > 0 || fault;
  is_changed = false;
  is_strict = is_doubtful || --pages_until_strict <= 0;
  if (is_strict) pages_until_strict = pages_between_strict;
}

void PrometheusText::State::read_nothing_of(std::string_view line) {
  // The same words as where its name was not known yet.
  pass_over(line, line.find_first_of(" \t{") == line.npos ? not_a_sample : "a sample ends with a number");
}

}  // namespace probes
