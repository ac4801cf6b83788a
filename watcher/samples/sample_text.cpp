#include "watcher/samples/sample_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <tuple>
#include <utility>

namespace watcher {

namespace {

constexpr std::string_view poll_name = "rollbackd_poll";
constexpr std::string_view probe_label = "rollbackd_probe";
constexpr std::string_view instance_begin = "rollbackd_instance=\"";
constexpr std::string_view instance_to_probe = "\",rollbackd_probe=";

// These write at a place that has room for it, and return where what they wrote ends.
constexpr std::size_t number_size_max = 32;  // bytes of a number

char* put(char* at, std::string_view text) { return std::copy(text.begin(), text.end(), at); }

char* put_number(char* at, std::int64_t number) { return std::to_chars(at, at + number_size_max, number).ptr; }

// With zeros before it: what stands behind a point.
char* put_fraction(char* at, std::int64_t number, int digits) {
  for (int place = digits; place > 0; --place, number /= 10) at[place - 1] = static_cast<char>('0' + number % 10);
  return at + digits;
}

// A length of time that was measured in nanoseconds, as what it is: a whole number of them. nullptr: it is none.
char* put_nanoseconds(char* at, double seconds) {
  constexpr double seconds_max = 1000;
  constexpr double in_a_second = 1e9;
  if (!(seconds > 0) || seconds >= seconds_max) return nullptr;
  const double count = std::nearbyint(seconds * in_a_second);
  // The quotient is rounded as what is read from the text will be.
  if (count / in_a_second != seconds) return nullptr;
  const auto nanoseconds = static_cast<std::int64_t>(count);
  constexpr std::int64_t whole = 1'000'000'000;
  at = put_number(at, nanoseconds / whole);
  *at++ = '.';
  at = put_fraction(at, nanoseconds % whole, 9);
  while (at[-1] == '0') --at;
  return at;
}

// Most are 0, 1, a status or a count; larger ones are shorter with an exponent. nullptr: it is none.
char* put_small_count(char* at, double value) {
  constexpr double count_max = 99'999;
  if (!(value >= 0 && value <= count_max) || value != std::floor(value) || std::signbit(value)) return nullptr;
  return put_number(at, static_cast<std::int64_t>(value));
}

char* put_value(char* at, double value) {
  if (char* const end = put_small_count(at, value)) return end;
  if (char* const end = put_nanoseconds(at, value)) return end;
  if (std::isnan(value)) return put(at, "NaN");
  if (std::isinf(value)) return put(at, value > 0 ? "+Inf" : "-Inf");
  return std::to_chars(at, at + number_size_max, value).ptr;  // the shortest that reads back as the same
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

void SampleText::append(const rules::Poll& poll, std::size_t most) {
  static const rules::SeriesKey poll_key{std::string(poll_name), {}};
  const std::size_t before = text_.size();
  try {
    write_ends(poll);
    append_line(poll_key, number_of(poll.up));
    for (const rules::Reading& reading : poll.readings) {
      if (text_.size() > most) break;
      append_line(*reading.series, reading.value);
    }
  } catch (const std::bad_alloc&) {
    most = before;
  }
  if (text_.size() > most) text_.resize(before);
}

std::string SampleText::take() { return std::exchange(text_, std::string()); }

void SampleText::write_ends(const rules::Poll& poll) {
  std::array<char, instance_begin.size() + number_size_max + instance_to_probe.size()> begin;
  char* end = put(begin.data(), instance_begin);
  end = put_number(end, static_cast<std::int64_t>(poll.instance));
  end = put(end, instance_to_probe);
  labels_.assign(begin.data(), end);
  rules::append_quoted(labels_, poll.probe.text);
  constexpr std::int64_t second = 1'000'000;
  const auto microseconds = std::chrono::round<std::chrono::microseconds>(poll.ended.time_since_epoch()).count();
  char* at = put_number(time_.data(), microseconds / second);
  *at++ = '.';
  at = put_fraction(at, microseconds % second, 6);
  *at++ = '\n';
  time_size_ = static_cast<std::size_t>(at - time_.data());
}

// What comes after the series.
char* SampleText::put_rest(char* at, double value) const {
  *at++ = ' ';
  at = put_value(at, value);
  *at++ = ' ';
  return put(at, {time_.data(), time_size_});
}

void SampleText::append_line(const rules::SeriesKey& key, double value) {
  constexpr std::size_t rest_max = 2 + number_size_max + std::tuple_size_v<decltype(time_)>;
  constexpr std::size_t line_usual = 512;  // bytes; two lines of each poll are no longer: they are written at one go
  std::array<char, line_usual> line;
  const bool is_usual = key.labels.empty() && key.name.size() + labels_.size() + 2 + rest_max <= line.size() &&
                        rules::is_plain_metric(key.name);
  char* at = line.data();
  if (is_usual) {
    at = put(at, key.name);
    *at++ = '{';
    at = put(at, labels_);
    *at++ = '}';
  } else {
    rules::append_with(text_, key, labels_);
  }
  at = put_rest(at, value);
  text_.append(line.data(), at);
}

bool SampleReader::push(std::string_view line) {
  std::optional<ReadLine> read = read_line(line);
  if (!read) return true;
  if (read->key.name == poll_name) {
    const bool is_wanted = wanted_.empty() || wanted_.contains(rules::ProbeName(read->probe));
    is_passing_over_ = read->at < from_ || !is_wanted;
    if (!is_passing_over_) polls_.push_back(poll_of(*read));
    bytes_ += is_passing_over_ ? 0 : sizeof(rules::Poll) + read->probe.size();
  } else if (!is_passing_over_) {
    rules::Poll& poll = polls_.back();
    const bool same = poll.probe.text == read->probe && poll.instance == read->instance && poll.ended == read->at;
    if (!same) return true;
    const auto [key, added] = keys_.insert(std::make_shared<const rules::SeriesKey>(std::move(read->key)));
    poll.readings.push_back({*key, read->value});
    bytes_ += 2 * sizeof(rules::Reading) + (added ? rules::bytes_of(**key) : 0);
  }
  return bytes_ <= most_;
}

std::vector<rules::Poll> SampleReader::take() {
  keys_.clear();
  if (bytes_ > most_) return {};
  return std::move(polls_);
}

std::vector<rules::Poll> read_samples(std::string_view text) {
  SampleReader reader(rules::Instant::min(), std::string::npos);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    reader.push(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return reader.take();
}

}  // namespace watcher
