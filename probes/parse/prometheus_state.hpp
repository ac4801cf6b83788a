#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/parse/line_end.hpp"
#include "probes/parse/prometheus_text.hpp"
#include "probes/parse/series_memory.hpp"
#include "probes/parse/skipped_names.hpp"
#include "probes/parse/wanted_names.hpp"

namespace probes {

inline constexpr std::string_view eof_text = "# EOF";
inline constexpr std::string_view not_a_sample = "expected a metric's name, its labels and a number";

// What a parser knows of the page that it reads, and of the last one.
struct PrometheusText::State {
  explicit State(std::vector<rules::Selector> keep) : wanted(std::move(keep)) {}

  void push(std::string_view piece);
  const char* pass_over_skipped(const char* at, const char* end);
  void read_line(std::string_view line);
  void read_unexpected(std::string_view line);
  void read_named(std::string_view line, std::size_t name_size);
  void read_quoted(std::string_view line);
  void read_series(std::string_view line);
  void learn_series(std::string_view line, std::string_view text);
  void read_value(std::string_view rest, const SeriesMemory::Sighting& sighting, std::string_view line);
  void hold(std::string_view part);
  void check_whole(std::string_view line);
  void read_comment(std::string_view line);
  bool swallows(std::string_view passed_over) const;
  void choose_strictness();
  void doubt_end(BodyEnd end, bool has_line_end);
  void fail(std::string_view line, std::string_view what);
  void pass_over(std::string_view line, std::string_view what);
  std::string mistake(std::string_view line, std::string_view what) const;

  // Of a line that nothing selects.
  void check_skipped(std::string_view line) {
    if (is_strict) return check_whole(line);
    const bool is_sample = ends_with_number(line);
    is_any_read = is_any_read || is_sample;
    if (!is_sample) read_nothing_of(without_blanks(line));
  }
  void read_nothing_of(std::string_view line);

  WantedNames wanted;
  SeriesMemory memory;
  SkippedNames skipped;
  std::string held;  // the begin of a line whose end has not come yet
  std::size_t line_number = 0;
  bool is_too_long = false;  // the rest of a line that is passed over is still to come
  bool is_any_read = false;  // a line of this page could be read
  bool is_unended = false;   // the last line, which lacks its end, is read
  bool is_repeated = false;  // the last line has a name that was passed over before: so may the next ones
  bool is_strict = true;     // nothing of this page is passed over unread
  bool is_changed = false;   // it has other series than the last page
  int pages_until_strict = 0;
  rules::Unread unread;
  std::optional<rules::Fault> fault;
  std::vector<rules::Reading> readings;
  std::size_t readings_before = 0;       // how many the last page had
  std::size_t eof_line = 0;              // the last one that was # EOF
  std::optional<std::size_t> shrunk_to;  // how many a page had that was not believed for having fewer
};

}  // namespace probes
