#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decisions.hpp"
#include "probes/parse/prometheus_text.hpp"
#include "require.hpp"
#include "rules/signals/measurements.hpp"

// Pages of metrics as the grammar of the format has them, one after another to the same parser and the same windows.
// What each says is known, because it was written here: it is read as that, or, where a mistake was written, as none.

namespace {

constexpr std::array<std::string_view, 6> names{"http_requests_total", "m",     "m_bucket",
                                                "other_total",         "a:b:c", "process_start_time_seconds"};
constexpr std::array<std::string_view, 3> wanted_names{"http_requests_total", "m", "process_start_time_seconds"};
constexpr std::array<std::string_view, 6> label_names{"code", "le", "route", "quantile", "_", "a9"};
constexpr std::array<std::string_view, 4> line_ends{"\n", "\r\n", " \n", "\t\r\n"};
constexpr std::array<std::string_view, 5> blanks{" ", "\t", "  ", " \t ", "    "};
constexpr std::array<std::string_view, 8> mistakes{"\"", "}", "{{", "=\"x\"", "1 2 3 4", "\\", "0x1p3", "1_000"};

struct Number {
  std::string_view text;
  double value;
};
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::array<Number, 14> numbers{{{"0", 0},
                                          {"1", 1},
                                          {"17", 17},
                                          {"-3.5", -3.5},
                                          {"1e3", 1000},
                                          {"1.5E-3", 0.0015},
                                          {"+Inf", infinity},
                                          {"-Inf", -infinity},
                                          {"NaN", std::numeric_limits<double>::quiet_NaN()},
                                          {".5", 0.5},
                                          {"5.", 5},
                                          {"9007199254740993", 9007199254740992},
                                          {"1e308", 1e308},
                                          {"+1", 1}}};

struct Written {
  std::string text;
  std::vector<std::pair<std::string, double>> wanted;  // the series as we write them, in order
  bool has_mistake = false;
};

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

class Writer {
 public:
  explicit Writer(Decisions& decisions) : decisions_(decisions) {}

  Written page() {
    page_ = {};
    seen_.clear();
    if (decisions_.one_in(16)) page_.text += "\xEF\xBB\xBF";
    const std::size_t lines = decisions_.below(12);
    for (std::size_t i = 0; i < lines; ++i) line();
    if (decisions_.one_in(4)) page_.text += "# EOF\n";
    return std::move(page_);
  }

 private:
  void line() {
    switch (decisions_.below(8)) {
      case 6:
        page_.text += decisions_.one_in(2) ? "\n" : "# TYPE m counter\n";
        return;
      case 7:
        page_.text += "# HELP m " + printable(20) + "\n";
        return;
      default:
        sample();
    }
  }

  void sample() {
    const rules::SeriesKey key = series();
    const bool is_wanted = std::find(wanted_names.begin(), wanted_names.end(), key.name) != wanted_names.end();
    // A label without a value is none. A series twice in a page is a mistake of its own.
    rules::SeriesKey meant = key;
    std::erase_if(meant.labels, [](const rules::Label& label) { return label.value.empty(); });
    if (!seen_.insert(rules::to_string(meant)).second) return;
    const Number& number = decisions_.of(numbers);
    page_.text += text_of(key);
    page_.text += decisions_.of(blanks);
    page_.text += number.text;
    if (is_wanted && decisions_.one_in(64)) {
      page_.has_mistake = true;
      page_.text += decisions_.of(mistakes);
    }
    if (decisions_.one_in(8)) page_.text += " 1700000000";
    if (decisions_.one_in(8)) page_.text += " # {trace=\"x\"} 1";
    page_.text += decisions_.of(line_ends);
    if (is_wanted) page_.wanted.emplace_back(rules::to_string(meant), number.value);
  }

  rules::SeriesKey series() {
    rules::SeriesKey key{std::string(decisions_.of(names)), {}};
    const std::size_t first = decisions_.below(label_names.size());
    const std::size_t count = decisions_.below(4);
    for (std::size_t i = 0; i < count; ++i) {
      key.labels.push_back({std::string(label_names.at((first + i) % label_names.size())), value()});
    }
    std::sort(key.labels.begin(), key.labels.end());
    return key;
  }

  std::string value() {
    if (decisions_.one_in(32)) return std::string(1000 * decisions_.below(20), 'x');
    return decisions_.one_in(4) ? printable(12) + (decisions_.one_in(2) ? "\n\"\\}" : "") : printable(3);
  }

  std::string printable(std::size_t most) {
    std::string out = decisions_.bytes(most);
    for (char& c : out) c = static_cast<char>(' ' + (static_cast<unsigned char>(c) & 63U));
    return out;
  }

  // In any of the ways in which it may be spelled.
  std::string text_of(const rules::SeriesKey& key) {
    const bool is_quoted = decisions_.one_in(8);
    if (!is_quoted && key.labels.empty() && !decisions_.one_in(4)) return key.name;
    std::string out = is_quoted ? "{\"" + key.name + "\"" : key.name + "{";
    bool needs_comma = is_quoted;
    const std::size_t shift = decisions_.below(key.labels.size() + 1);
    for (std::size_t i = 0; i < key.labels.size(); ++i) {
      const rules::Label& label = key.labels[(i + shift) % key.labels.size()];
      if (std::exchange(needs_comma, true)) out += ",";
      out += label.name + "=\"" + escaped(label.value) + "\"";
    }
    if (needs_comma && decisions_.one_in(8)) out += ",";
    return out + "}";
  }

  Decisions& decisions_;
  Written page_;
  std::set<std::string> seen_;
};

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void compare(const Written& written, const std::vector<rules::Reading>& readings) {
  require(readings.size() == written.wanted.size(), "every series that is wanted is read, and no other");
  for (std::size_t i = 0; i < readings.size(); ++i) {
    require(rules::to_string(*readings[i].series) == written.wanted[i].first, "a series is read as it was meant");
    require(same(readings[i].value, written.wanted[i].second), "a number is read as it was meant");
  }
}

rules::Measurements windows() {
  rules::ProbeShape shape;
  shape.name = rules::ProbeName("app");
  rules::SignalSpec signal;
  signal.name = rules::SignalName("errors");
  signal.probe = shape.name;
  signal.of = std::vector<rules::RatioOf>{
      {std::get<rules::Selector>(rules::parse_selector("http_requests_total{code=~\"5.*\"}")),
       std::get<rules::Selector>(rules::parse_selector("http_requests_total"))}};
  return {{shape}, {signal}, {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Decisions decisions(data, size);
  std::vector<rules::Selector> keep(wanted_names.size());
  for (std::size_t i = 0; i < keep.size(); ++i) keep[i].name = wanted_names.at(i);
  probes::PrometheusText parser(keep);
  rules::Measurements measurements = windows();
  rules::Instant now{std::chrono::hours(480'000)};
  std::size_t largest = 0;
  for (int pages = 0; pages < 50 && !decisions.are_over(); ++pages) {
    const Written written = Writer(decisions).page();
    largest = std::max(largest, written.text.size());
    const std::size_t piece = 1 + decisions.below(300);
    parser.begin();
    std::string_view rest = written.text;
    while (!rest.empty() && parser.push(rest.substr(0, piece))) rest.remove_prefix(std::min(piece, rest.size()));
    rules::Poll poll;
    poll.probe = rules::ProbeName("app");
    now += std::chrono::seconds(5);
    poll.started = poll.ended = now;
    poll.up = rules::Up::up;
    poll.fault = parser.finish();
    if (poll.fault) poll.up = rules::Up::unknown;
    require(written.has_mistake == poll.fault.has_value(),
            "a page is malformed where a mistake was written, only there");
    poll.readings = parser.take();
    if (!poll.fault) compare(written, poll.readings);
    constexpr std::size_t many_times = 64;  // what a byte of a page may cost at most, in the smallest series
    require(parser.held() <= many_times * (largest + 4096), "what is remembered does not pile up");
    if (decisions.one_in(16)) poll.fault = rules::Fault{rules::FaultKind::no_memory, ""}, poll.up = rules::Up::unknown;
    measurements.observe(poll);
    const rules::Measured measured = measurements.signal(rules::SignalName("errors"), {}, now);
    require(!measured.value || std::isfinite(*measured.value) || std::isnan(*measured.value), "a ratio is no infinity");
  }
  return 0;
}
