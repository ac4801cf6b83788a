#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/signals/measurements.hpp"

// What tests of measuring share: a page is a list of series and values, time is in seconds from the start.
namespace measured {

using namespace rules;
using Page = std::vector<std::pair<std::string, double>>;

inline Instant at(double s) { return Instant(std::chrono::hours(480'000)) + from_seconds(s); }

// name{label="value",...} with plain values.
inline SharedSeriesKey key(const std::string& text) {
  const Selector selector = std::get<Selector>(parse_selector(text));
  SeriesKey out{selector.name, {}};
  for (const Matcher& matcher : selector.matchers) out.labels.push_back({matcher.label(), matcher.value()});
  std::sort(out.labels.begin(), out.labels.end());
  return std::make_shared<const SeriesKey>(std::move(out));
}

inline Condition condition(const std::string& text) {
  auto parsed = parse_condition(text);
  if (auto* error = std::get_if<SyntaxError>(&parsed)) FAIL(text << ": " << error->what);
  return std::get<Condition>(std::move(parsed));
}

inline Selector selector(const std::string& text) { return std::get<Selector>(parse_selector(text)); }

inline ProbeShape shape(const std::string& name, std::size_t instances = 1) {
  ProbeShape out;
  out.name = ProbeName(name);
  out.instances = instances;
  return out;
}

inline SignalSpec error_rate() {
  SignalSpec out;
  out.name = SignalName("error_rate");
  out.probe = ProbeName("app");
  out.of = std::vector<RatioOf>{{selector("requests_total{code=~\"5..\"}"), selector("requests_total")}};
  return out;
}

inline SignalSpec latency(double quantile = 0.95) {
  SignalSpec out;
  out.name = SignalName("p95");
  out.probe = ProbeName("app");
  out.of = std::vector<QuantileOf>{{quantile, selector("latency")}};
  return out;
}

inline SignalSpec expression(const std::string& text) {
  SignalSpec out;
  out.name = SignalName("x");
  out.probe = ProbeName("app");
  auto parsed = parse_signal_expression(text);
  if (auto* error = std::get_if<SyntaxError>(&parsed)) FAIL(text << ": " << error->what);
  out.of = std::get<ExpressionOf>(std::move(parsed));
  return out;
}

class World {
 public:
  explicit World(std::vector<SignalSpec> signals, const std::vector<std::string>& conditions = {},
                 std::size_t instances = 1)
      : measurements_({shape("app", instances), shape("health")}, std::move(signals), parse_all(conditions)) {}

  void poll(double second, const Page& page, std::size_t instance = 0, const std::string& probe = "app") {
    Poll out;
    out.probe = ProbeName(probe);
    out.instance = instance;
    out.started = at(second) - std::chrono::milliseconds(100);
    out.ended = at(second);
    out.up = Up::up;
    for (const auto& [text, value] : page) {
      auto& interned = keys_[text];
      if (interned == nullptr) interned = key(text);
      out.readings.push_back({interned, value});
    }
    measurements_.observe(out);
    now_ = second;
  }

  void fault(double second, FaultKind kind, const std::string& probe = "app", std::size_t instance = 0) {
    Poll out;
    out.probe = ProbeName(probe);
    out.instance = instance;
    out.started = at(second);
    out.ended = at(second);
    out.up = up_from(kind, {});
    out.fault = Fault{kind, "what happened"};
    measurements_.observe(out);
    now_ = second;
  }

  // Every 5 s from `from` to `to`: `ok` and `bad` requests a second, counted on from what was before.
  void traffic(double from, double to, double ok, double bad) {
    for (double s = from; s <= to; s += 5) {
      ok_ += ok * 5;
      bad_ += bad * 5;
      Page page{{"requests_total{code=\"200\"}", ok_}};
      if (bad_ > 0) page.push_back({"requests_total{code=\"500\"}", bad_});
      poll(s, page);
    }
  }

  Judgement judge(const std::string& text, const Scope& scope = {}, Part part = Part::window) const {
    return measurements_.judge(condition(text), scope, at(now_), part);
  }
  // good, bad, or unknown's cause.
  std::string verdict(const std::string& text, const Scope& scope = {}, Part part = Part::window) const {
    const Judgement judgement = judge(text, scope, part);
    if (judgement.verdict == Verdict::unknown) return std::string(to_string(judgement.cause));
    return std::string(to_string(judgement.verdict));
  }
  Measured signal(const std::string& name, const Scope& scope = {}, Part part = Part::window) const {
    return measurements_.signal(SignalName(name), scope, at(now_), part);
  }
  // The value, or unknown's cause.
  std::string value(const std::string& name, const Scope& scope = {}) const {
    const Measured measured = signal(name, scope);
    if (!measured.value) return std::string(to_string(measured.cause));
    std::string out = std::to_string(*measured.value);
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.') out.pop_back();
    return out;
  }

  void wait_until(double second) { now_ = second; }
  Measurements& measurements() { return measurements_; }
  const Measurements& measurements() const { return measurements_; }

 private:
  static std::vector<Condition> parse_all(const std::vector<std::string>& texts) {
    std::vector<Condition> out;
    for (const std::string& text : texts) out.push_back(condition(text));
    return out;
  }

  Measurements measurements_;
  std::map<std::string, SharedSeriesKey> keys_;
  double ok_ = 0;
  double bad_ = 0;
  double now_ = 0;
};

}  // namespace measured
