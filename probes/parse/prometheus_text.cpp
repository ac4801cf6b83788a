#include "probes/parse/prometheus_text.hpp"

#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "probes/parse/characters.hpp"
#include "probes/parse/prometheus_series.hpp"
#include "probes/parse/prometheus_state.hpp"

namespace probes {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string too_long() { return "a line longer than " + std::to_string(prometheus_line_max) + " bytes"; }

}  // namespace

std::string PrometheusText::State::mistake(std::string_view line, std::string_view what) const {
  std::string out = "line " + std::to_string(line_number) + ": " + quoted_excerpt(line) + ": ";
  out += what;
  const char first = line.empty() ? '\0' : line.front();
  if (line_number == 1 && (first == '<' || first == '{' || first == '[')) {
    out += first == '<' ? " (this is HTML or XML" : " (this may be JSON";
    out += "; is the address that of the metrics page?)";
  }
  return out;
}

void PrometheusText::State::fail(std::string_view line, std::string_view what) {
  if (fault) return;
  fault = rules::Fault{rules::FaultKind::parse, mistake(line, what)};
}

// A line that nothing selects; one that might be meant all the same is a mistake. One that ends with the page is where
// an answer was cut off, as of a server that died and closed: what is wanted may stand in the part that is missing.
void PrometheusText::State::pass_over(std::string_view line, std::string_view what) {
  if (is_unended || wanted.is_named_in(line)) return fail(line, what);
  if (unread.lines++ == 0) unread.first = mistake(line, what);
}

// Only whole lines are read; a line that straddles pieces is put together first.
void PrometheusText::State::push(std::string_view piece) {
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (at != end && !fault) {
    if (is_repeated && held.empty() && !is_too_long && !is_strict) at = pass_over_skipped(at, end);
    if (at == end) return;
    const auto left = static_cast<std::size_t>(end - at);
    const auto* const newline = static_cast<const char*>(std::memchr(at, '\n', left));
    if (newline == nullptr) return hold({at, left});
    const std::string_view part(at, static_cast<std::size_t>(newline - at));
    if (std::exchange(is_too_long, false)) {
      // Its begin was passed over already.
    } else if (held.empty()) {
      read_line(part);
    } else {
      hold(part);  // its end is here: what follows is another line, also where this one is too long
      if (!std::exchange(is_too_long, false) && !fault) read_line(held);
      held.clear();
    }
    at = newline + 1;
  }
}

// Nearly all of a page, and without a look at each line by itself. Returns where it goes on.
const char* PrometheusText::State::pass_over_skipped(const char* at, const char* end) {
  const SkippedNames::Passed passed = skipped.pass(at, end);
  line_number += passed.lines;
  is_any_read = is_any_read || passed.lines > 0;
  return passed.next;
}

void PrometheusText::State::hold(std::string_view part) {
  if (is_too_long) return;
  if (held.size() + part.size() <= prometheus_line_max) {
    held += part;
    return;
  }
  ++line_number;
  held += part.substr(0, prometheus_line_max - held.size());
  pass_over(held, too_long());
  held.clear();
  is_too_long = true;
}

void PrometheusText::State::read_line(std::string_view line) {
  ++line_number;
  if (line.size() > prometheus_line_max) return pass_over(line, too_long());
  if (line.empty() || line.front() == '#') return read_comment(line);
  is_repeated = skipped.begin(line);
  if (is_repeated) return check_skipped(line);
  const SeriesMemory::Sighting expected = memory.take_expected(line, line_number);
  if (expected.series != nullptr) return read_value(line.substr(expected.text_size), expected, line);
  read_unexpected(without_blanks(line));
}

void PrometheusText::State::read_unexpected(std::string_view line) {
  if (line_number == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  if (line.empty() || line.front() == '#') return;
  if (line.front() == '{') return read_quoted(line);
  if (!metric_name_begin.has(line.front())) return pass_over(line, "no metric name begins like that");
  std::size_t name_size = 1;
  while (name_size < line.size() && metric_name_part.has(line[name_size])) ++name_size;
  const char after = name_size < line.size() ? line[name_size] : '\0';
  if (after != '{' && !is_blank(after)) return pass_over(line, not_a_sample);
  read_named(line, name_size);
}

void PrometheusText::State::read_named(std::string_view line, std::size_t name_size) {
  if (wanted.may_want(line.substr(0, name_size))) return read_series(line);
  skipped.add(line.substr(0, name_size + 1));
  check_skipped(line);
}

// The name stands in quotes between the braces: whether it is wanted is known only when it can be read.
void PrometheusText::State::read_quoted(std::string_view line) {
  const std::optional<std::size_t> size = series_text_size(line);
  if (!size) return pass_over(line, "a quote or a brace is not closed");
  const std::string_view text = line.substr(0, *size);
  if (!wanted.is_named_in(text)) {
    const auto parsed = parse_series(text);
    if (const auto* const malformed = std::get_if<MalformedSeries>(&parsed)) return pass_over(line, malformed->what);
    if (!wanted.may_want(std::get<rules::SeriesKey>(parsed).name)) return check_skipped(line);
  }
  read_series(line);
}

void PrometheusText::State::read_series(std::string_view line) {
  const std::optional<std::size_t> size = series_text_size(line);
  if (!size) return fail(line, "a quote or a brace is not closed");
  const std::string_view text = line.substr(0, *size);
  const SeriesMemory::Sighting sighting = memory.take(text, line_number);
  if (sighting.series == nullptr) return learn_series(line, text);
  read_value(line.substr(*size), sighting, line);
}

void PrometheusText::State::learn_series(std::string_view line, std::string_view text) {
  if (memory.seen() == prometheus_series_max) {
    return fail(line, "more than " + std::to_string(prometheus_series_max) + " series of the wanted names");
  }
  std::variant<rules::SeriesKey, MalformedSeries> parsed = parse_series(text);
  if (const auto* const malformed = std::get_if<MalformedSeries>(&parsed)) return fail(line, malformed->what);
  auto& key = std::get<rules::SeriesKey>(parsed);
  is_changed = true;
  const bool is_wanted = wanted.wants(key);
  const auto sighting = memory.learn(text, std::move(key), is_wanted, line_number);
  read_value(line.substr(text.size()), sighting, line);
}

void PrometheusText::State::doubt_end(BodyEnd end, bool has_line_end) {
  const auto doubt = [this](const std::string& what) {
    fault = rules::Fault{rules::FaultKind::parse, what +
                                                      ", and nothing says how long the page is: it may be cut off; "
                                                      "let the server send Content-Length, or end with # EOF"};
  };
  if (end == BodyEnd::said || (eof_line != 0 && eof_line == line_number)) return shrunk_to.reset();
  if (end == BodyEnd::unsaid) return doubt("the connection was closed without an end of TLS");
  if (!has_line_end) return doubt("the last line has no end");
  if (readings.size() < readings_before && shrunk_to != readings.size()) {
    shrunk_to = readings.size();
    return doubt("there are " + std::to_string(readings.size()) + " values where there were " +
                 std::to_string(readings_before));
  }
  shrunk_to.reset();
}

PrometheusText::PrometheusText(std::vector<rules::Selector> keep) : state_(std::make_unique<State>(std::move(keep))) {}
PrometheusText::~PrometheusText() = default;
PrometheusText::PrometheusText(PrometheusText&&) noexcept = default;
PrometheusText& PrometheusText::operator=(PrometheusText&&) noexcept = default;

void PrometheusText::begin() {
  State& state = *state_;
  state.choose_strictness();
  state.memory.begin_page();
  state.held.clear();
  state.line_number = state.eof_line = 0;
  state.is_too_long = state.is_any_read = state.is_unended = state.is_repeated = false;
  state.unread = {};
  state.fault.reset();
  state.readings.clear();
  state.readings.reserve(state.readings_before);
}

bool PrometheusText::push(std::string_view piece) {
  if (!state_->fault) state_->push(piece);
  return !state_->fault;
}

std::optional<rules::Fault> PrometheusText::finish(BodyEnd end) {
  State& state = *state_;
  const bool has_line_end = state.held.empty() && !state.is_too_long;
  state.is_unended = true;
  if (!state.fault && !state.held.empty()) state.read_line(state.held);
  if (state.is_too_long) state.fail("...", "the page ends in the middle of this line");
  state.held.clear();
  if (!state.fault && !state.is_any_read && state.unread.lines > 0) {
    state.fault = rules::Fault{rules::FaultKind::parse, state.unread.first};
  }
  if (!state.fault) state.doubt_end(end, has_line_end);
  state.is_changed = state.is_changed || state.readings.size() != state.readings_before;
  if (state.fault) state.readings.clear();
  return state.fault;
}

std::size_t PrometheusText::held() const {
  return state_->memory.bytes() + state_->held.capacity() + state_->readings.capacity() * sizeof(rules::Reading);
}

void PrometheusText::give_up(rules::Fault fault) {
  State& state = *state_;
  state.memory = {};
  state.readings = {};
  state.readings_before = 0;
  state.held = {};
  state.fault = std::move(fault);
}

rules::Unread PrometheusText::unread() const { return state_->unread; }

std::vector<rules::Reading> PrometheusText::take() {
  state_->readings_before = state_->readings.size();
  return std::exchange(state_->readings, {});
}

}  // namespace probes
