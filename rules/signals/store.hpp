#pragma once

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/base/name_index.hpp"
#include "rules/base/seldom.hpp"
#include "rules/signals/expression.hpp"
#include "rules/signals/histogram.hpp"
#include "rules/signals/history.hpp"
#include "rules/signals/instance.hpp"
#include "rules/signals/measurements.hpp"
#include "rules/signals/summary.hpp"
#include "rules/signals/window.hpp"

namespace rules {

// What a candidate of a ratio takes of the page: errors, all. Of a quantile: the family, its buckets, its count.
inline constexpr std::size_t uses_of_ratio = 2;
inline constexpr std::size_t uses_of_quantile = 3;

// A label's value as a number, "+Inf" included; none when it is absent or no number.
std::optional<double> number_of(const SeriesKey& key, std::string_view label);

// A signal as far as it can be told without knowing what it is compared with.
struct Estimate {
  Measured measured;
  bool few = false;  // a ratio of fewer than min_count: errors and count may still be enough
  std::optional<Histogram> histogram = std::nullopt;  // of a quantile with enough observations
  std::optional<Between> between = std::nullopt;      // of a quantile that summaries do not tell exactly

  // As a number to compute with: none where it is only known between which it lies, or interpolated though strict.
  Measured number() const;
  // Whether it tells anything besides its number.
  bool tells_more() const { return few || histogram || between; }
};

// What Measurements keeps: a store of instances by probe, and how signals are read out of it.
class Store {
 public:
  Store(std::vector<ProbeShape> probes, std::vector<SignalSpec> signals, const std::vector<Condition>& conditions);

  void observe(const Poll& poll);
  void instance_restarted(const ProbeName& probe, Instant at);
  void adopt(Store&& old);

  Estimate estimate(const SignalName& name, const Scope& scope, Instant at, Part part) const;
  Measured field(const FieldRef& field, const Scope& scope, Instant at) const;
  Measured over_time(const OverTimeRef& ref, const Scope& scope, Instant at, Part part) const;
  Measured restarts(const RestartsRef& ref, const Scope& scope, Instant at) const;
  Up up(const ProbeName& probe, Instant at) const;
  Instant up_until(const ProbeName& probe, Instant at) const;
  std::optional<Measurements::LastPoll> last_poll(const ProbeName& probe) const;
  std::optional<ProbeName> probe_of(const SignalName& name) const;
  bool windowed(const SignalName& name) const;
  std::map<SignalName, std::string> taken() const;
  std::size_t kept(const ProbeName& probe, std::size_t instance) const;

 private:
  // A value whose history some function over time needs.
  struct Tracked {
    std::variant<SignalRef, FieldRef> of;
    History history;
  };
  struct Signal;
  struct Probe {
    ProbeShape shape;
    std::vector<Use> uses;
    std::vector<Signal*> signals;  // in signals_, whose nodes stay where they are
    Duration horizon{};            // the furthest back that a window of its signals reaches
    std::vector<Instance> instances;
    Seldom<std::map<std::string, Tracked>> tracked;  // by what they are of, as written
  };
  // Where a signal's uses begin in its probe's; a ratio takes two for each candidate, a quantile three, an expression
  // one for each selector.
  struct Signal {
    SignalSpec spec;
    std::size_t index = 0;  // among its probe's
    std::size_t first_use = 0;
    std::optional<std::size_t> taken;  // of its candidates, since the newest page
    // None worse than what once was taken may be, and of each candidate no other family.
    int rank_most = std::numeric_limits<int>::max();
    std::vector<std::string> families;
  };
  using Windows = std::vector<Window>;  // one for each instance

  void add(SignalSpec spec);
  void track(const ConditionNode& node);
  void track(const Expression& expression);
  void track(const OverTimeRef& over_time);
  void record_tracked(Probe& probe, Instant at);
  void adopt_probe(Probe& probe, Probe&& old, const Store& from);

  Probe* find(const ProbeName& name);
  const Probe* find(const ProbeName& name) const;
  std::optional<Measured> obstacle(const Probe& probe, const Scope& scope, Instant at) const;
  std::optional<Measured> unseen(const Probe& probe, const Scope& scope, Instant at) const;
  Measured up_field(const Probe& probe, const Scope& scope, Instant at) const;
  Measured reading(const Probe& probe, const FieldRef& field) const;
  std::optional<Measured> mixed(const Probe& probe, const Signal& signal) const;
  void stamp(const Probe& probe, Instant at, Measured& measured) const;
  Instant valid_until(const Probe& probe, Instant at) const;

  std::vector<Reach> reaches(const Probe& probe, const Signal& signal, const Scope& scope) const;
  std::optional<Measured> too_short(const Probe& probe, const std::vector<Reach>& reaches, Duration length,
                                    Duration length_max) const;
  Windows windows(const Probe& probe, const Signal& signal, const std::vector<Reach>& reaches, Duration length) const;
  struct Lengths {
    Duration shortest;
    Duration longest;
  };
  Windows shortest_enough(const Probe& probe, const Signal& signal, const std::vector<Reach>& reaches, Lengths lengths,
                          double needed, const std::function<double(const Windows&)>& count) const;
  Windows grown(const Probe& probe, const Signal& signal, const std::vector<Reach>& reaches, Part part, double needed,
                const std::function<double(const Windows&)>& count) const;
  void choose_candidates(Probe& probe);

  Estimate ratio(const Probe& probe, const Signal& signal, const Scope& scope, Part part) const;
  Estimate quantile(const Probe& probe, const Signal& signal, const Scope& scope, Part part) const;
  Histogram histogram(const Probe& probe, std::size_t use, double unit, const std::vector<Reach>& reaches,
                      const Windows& windows) const;
  Estimate summary(const Probe& probe, const Signal& signal, const std::vector<Reach>& reaches, std::size_t taken,
                   Part part) const;
  Measured expression(const Probe& probe, const Signal& signal, const Scope& scope, Part part) const;
  Measured value_over(const Signal& signal, const std::vector<Reach>& reach, std::optional<PageNumber> polls) const;

  std::map<ProbeName, Probe> probes_;
  NameIndex probe_numbers_;       // among these
  std::vector<Probe*> numbered_;  // nodes of probes_ stay where they are
  std::map<SignalName, Signal> signals_;
};

}  // namespace rules
