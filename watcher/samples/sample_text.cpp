#include "watcher/samples/sample_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace watcher {

namespace {

constexpr std::string_view poll_name = "rollbackd_poll";
constexpr std::string_view probe_label = "rollbackd_probe";
constexpr std::string_view instance_label = "rollbackd_instance";

void append_value(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> text;  // the shortest that reads back as the same
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
  }
}

void append_number(std::string& out, std::int64_t number, int digits = 1) {
  std::array<char, 20> text;
  char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  const int missing = digits - static_cast<int>(end - text.data());
  if (missing > 0) out.append(static_cast<std::size_t>(missing), '0');
  out.append(text.data(), end);
}

// What all lines of a poll end with is written once.
struct PollEnds {
  explicit PollEnds(const rules::Poll& poll) {
    labels = instance_label;
    labels += "=\"";
    append_number(labels, static_cast<std::int64_t>(poll.instance));
    labels += "\",";
    labels += probe_label;
    labels += '=';
    rules::append_quoted(labels, poll.probe.text);
    const auto microseconds = std::chrono::round<std::chrono::microseconds>(poll.ended.time_since_epoch()).count();
    time = " ";
    append_number(time, microseconds / 1'000'000);
    time += '.';
    append_number(time, microseconds % 1'000'000, 6);
    time += '\n';
  }
  std::string labels;
  std::string time;
};

void append_line(std::string& out, const rules::SeriesKey& key, const PollEnds& ends, double value) {
  rules::append_with(out, key, ends.labels);
  out += ' ';
  append_value(out, value);
  out += ends.time;
}

double number_of(rules::Up up) {
  switch (up) {
    case rules::Up::up:
      return 1;
    case rules::Up::down:
      return 0;
    case rules::Up::unknown:
      return std::nan("");
  }
  return std::nan("");
}

// One line, read from left to right; every function returns false or nothing when it is not as it was written.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  std::optional<rules::SeriesKey> key() {
    rules::SeriesKey key;
    const std::size_t end = rest_.find_first_of("{ ");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    key.name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (!take('{')) return key;
    do {
      std::optional<rules::Label> label = this->label();
      if (!label) return std::nullopt;
      key.labels.push_back(std::move(*label));
    } while (take(','));
    if (!take('}')) return std::nullopt;
    return key;
  }

  std::optional<double> number() {
    if (!take(' ')) return std::nullopt;
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(word.size());
    if (word == "NaN") return std::nan("");
    if (word == "+Inf") return HUGE_VAL;
    if (word == "-Inf") return -HUGE_VAL;
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return value;
  }

  bool ended() const { return rest_.empty(); }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<rules::Label> label() {
    const std::size_t equals = rest_.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    rules::Label label;
    label.name = rest_.substr(0, equals);
    rest_.remove_prefix(equals + 1);
    if (!take('"')) return std::nullopt;
    while (!rest_.empty() && rest_.front() != '"') {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_.front() == 'n' ? '\n' : rest_.front();
        rest_.remove_prefix(1);
      }
      label.value += c;
    }
    if (!take('"')) return std::nullopt;
    return label;
  }

  std::string_view rest_;
};

struct ReadLine {
  rules::SeriesKey key;
  std::string probe;
  std::size_t instance = 0;
  double value = 0;
  rules::Instant at;
};

std::optional<ReadLine> read_line(std::string_view text) {
  Line line(text);
  std::optional<rules::SeriesKey> key = line.key();
  if (!key || key->labels.size() < 2) return std::nullopt;
  const std::optional<double> value = line.number();
  const std::optional<double> at = line.number();
  if (!value || !at || !line.ended()) return std::nullopt;
  ReadLine out;
  out.probe = key->labels.back().value;
  const bool ours = key->labels.back().name == probe_label;
  key->labels.pop_back();
  const std::string& instance = key->labels.back().value;
  const auto [end, error] = std::from_chars(instance.data(), instance.data() + instance.size(), out.instance);
  if (!ours || error != std::errc{} || end != instance.data() + instance.size()) return std::nullopt;
  key->labels.pop_back();
  out.key = std::move(*key);
  out.value = *value;
  out.at = rules::from_unix_seconds(*at);
  return out;
}

rules::Poll poll_of(const ReadLine& line) {
  rules::Poll poll;
  poll.probe = rules::ProbeName(line.probe);
  poll.instance = line.instance;
  poll.started = line.at;
  poll.ended = line.at;
  if (line.value == 1) {
    poll.up = rules::Up::up;
    return poll;
  }
  poll.up = line.value == 0 ? rules::Up::down : rules::Up::unknown;
  // What it was is in the log of its time; for windows it matters whose fault it was, and that `up` says.
  poll.fault = rules::Fault{rules::FaultKind::not_measurable, "recorded before the last start"};
  if (poll.up == rules::Up::down) poll.fault->kind = rules::FaultKind::refused;
  return poll;
}

}  // namespace

void append_samples(std::string& out, const rules::Poll& poll) {
  static const rules::SeriesKey poll_key{std::string(poll_name), {}};
  const PollEnds ends(poll);
  append_line(out, poll_key, ends, number_of(poll.up));
  for (const rules::Reading& reading : poll.readings) append_line(out, *reading.series, ends, reading.value);
}

std::vector<rules::Poll> read_samples(std::string_view text) {
  std::vector<rules::Poll> polls;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    std::optional<ReadLine> line = read_line(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (!line) continue;
    if (line->key.name == poll_name) {
      polls.push_back(poll_of(*line));
      continue;
    }
    if (polls.empty()) continue;
    rules::Poll& poll = polls.back();
    const bool same = poll.probe.text == line->probe && poll.instance == line->instance && poll.ended == line->at;
    if (!same) continue;
    poll.readings.push_back({std::make_shared<const rules::SeriesKey>(std::move(line->key)), line->value});
  }
  return polls;
}

}  // namespace watcher
