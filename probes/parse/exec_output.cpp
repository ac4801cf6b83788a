#include "probes/parse/exec_output.hpp"

#include <re2/re2.h>

#include <map>
#include <string>
#include <utility>
#include <variant>

#include "probes/parse/expect.hpp"
#include "probes/parse/json.hpp"
#include "probes/parse/nagios.hpp"
#include "probes/parse/number.hpp"
#include "probes/parse/prometheus_text.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;
using rules::Reading;
using rules::SharedSeriesKey;
using rules::Up;

using ReadingsOrFault = std::variant<std::vector<Reading>, Fault>;

constexpr std::size_t shown_max = 200;  // bytes of a command's output that a message shows

SharedSeriesKey field(std::string name) {
  return std::make_shared<const rules::SeriesKey>(rules::SeriesKey{std::move(name), {}});
}

std::string first_line(std::string_view out) {
  out = trimmed(out);
  out = out.substr(0, out.find('\n'));
  std::string shown(out.substr(0, shown_max));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  return shown;
}

Fault fault(FaultKind kind, std::string what) { return Fault{kind, std::move(what)}; }

Fault not_a_number(const std::string& what, std::string_view out) {
  return fault(FaultKind::parse, what + " is no number: \"" + first_line(out) + "\"");
}

std::string ended(int exit_code, std::string_view out) {
  std::string what = "exited with " + std::to_string(exit_code);
  const std::string line = first_line(out);
  return line.empty() ? what : what + ": " + line;
}

}  // namespace

struct ExecOutput::State {
  struct Pattern {
    SharedSeriesKey series;
    std::unique_ptr<RE2> pattern;
  };

  explicit State(const ExecProbe& probe)
      : format(probe.format),
        prometheus(probe.keep),
        exit_code(field("exit_code")),
        value(field("value")),
        nagios_state(field("state")) {
    if (format == ExecFormat::json) json.emplace(probe.values, JsonChecks());
    if (format != ExecFormat::regex) return;
    for (const auto& [name, pattern] : probe.values) {
      patterns.push_back({field(name), std::make_unique<RE2>(pattern, RE2::Quiet)});
    }
  }

  ExecAnswer read_nagios(int exit, std::string_view out) const;
  ReadingsOrFault read(std::string_view out);
  ReadingsOrFault read_number(std::string_view out) const;
  ReadingsOrFault read_patterns(std::string_view out) const;
  ReadingsOrFault read_prometheus(std::string_view out);

  using JsonChecks = std::map<std::string, std::map<std::string, std::string>>;

  ExecFormat format;
  std::size_t room = json_room_any;
  PrometheusText prometheus;
  std::optional<JsonFields> json;
  std::vector<Pattern> patterns;
  SharedSeriesKey exit_code;
  SharedSeriesKey value;
  SharedSeriesKey nagios_state;
};

ExecAnswer ExecOutput::State::read_nagios(int exit, std::string_view out) const {
  constexpr int ok_max = 1;  // OK and WARNING: it serves
  constexpr int critical = 2;
  constexpr int unknown = 3;
  NagiosOutput output = parse_nagios(out);
  ExecAnswer answer;
  answer.readings = std::move(output.readings);
  if (exit >= 0 && exit <= unknown) answer.readings.push_back({nagios_state, static_cast<double>(exit)});
  if (exit >= 0 && exit <= ok_max) {
    answer.up = Up::up;
    return answer;
  }
  const FaultKind kind = exit == critical ? FaultKind::refused : FaultKind::not_measurable;
  answer.up = rules::up_from(kind, {});
  answer.fault = fault(kind, "plugin " + ended(exit, output.text));
  return answer;
}

ReadingsOrFault ExecOutput::State::read(std::string_view out) {
  switch (format) {
    case ExecFormat::nagios:
    case ExecFormat::exit:
      return std::vector<Reading>{};
    case ExecFormat::number:
      return read_number(out);
    case ExecFormat::prometheus:
      return read_prometheus(out);
    case ExecFormat::json:
      return json->read(out, room);
    case ExecFormat::regex:
      return read_patterns(out);
  }
  return std::vector<Reading>{};
}

ReadingsOrFault ExecOutput::State::read_number(std::string_view out) const {
  const std::optional<double> number = parse_number(trimmed(out));
  if (!number) return not_a_number("the output", out);
  return std::vector<Reading>{{value, *number}};
}

ReadingsOrFault ExecOutput::State::read_patterns(std::string_view out) const {
  std::vector<Reading> readings;
  for (const Pattern& entry : patterns) {
    re2::StringPiece group;
    if (!RE2::PartialMatch(re2::StringPiece(out.data(), out.size()), *entry.pattern, &group)) {
      return fault(FaultKind::parse, "nothing matches '" + entry.pattern->pattern() + "' (" + entry.series->name +
                                         ") in \"" + first_line(out) + "\"");
    }
    const std::string_view text(group.data(), group.size());
    const std::optional<double> number = parse_number(trimmed(text));
    if (!number) return not_a_number("the group of " + entry.series->name, text);
    readings.push_back({entry.series, *number});
  }
  return readings;
}

ReadingsOrFault ExecOutput::State::read_prometheus(std::string_view out) {
  prometheus.begin();
  prometheus.push(out);
  std::optional<Fault> malformed = prometheus.finish();
  if (malformed) return std::move(*malformed);
  return prometheus.take();
}

ExecOutput::ExecOutput(const ExecProbe& probe) : state_(std::make_unique<State>(probe)) {}
ExecOutput::~ExecOutput() = default;
ExecOutput::ExecOutput(ExecOutput&&) noexcept = default;
ExecOutput& ExecOutput::operator=(ExecOutput&&) noexcept = default;

void ExecOutput::set_room(std::size_t bytes) { state_->room = bytes; }
std::size_t ExecOutput::held() const { return state_->prometheus.held(); }
void ExecOutput::forget() { state_->prometheus.give_up({FaultKind::no_memory, ""}); }

ExecAnswer ExecOutput::read(int exit_code, std::string_view out, bool cut) {
  State& state = *state_;
  if (state.format == ExecFormat::nagios) return state.read_nagios(exit_code, out);
  ExecAnswer answer;
  if (exit_code != 0) {
    answer.fault = fault(FaultKind::refused, ended(exit_code, out));
  } else if (cut && state.format != ExecFormat::exit) {
    answer.fault = fault(FaultKind::too_large, "the output is too long to be kept, so it cannot be read");
  } else {
    ReadingsOrFault read = state.read(out);
    if (auto* const malformed = std::get_if<Fault>(&read)) {
      answer.fault = std::move(*malformed);
    } else {
      answer.readings = std::move(std::get<std::vector<Reading>>(read));
    }
  }
  answer.up = answer.fault ? rules::up_from(answer.fault->kind, {}) : Up::up;
  if (state.format == ExecFormat::exit) answer.readings.push_back({state.exit_code, static_cast<double>(exit_code)});
  return answer;
}

}  // namespace probes
