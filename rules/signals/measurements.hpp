#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/base/poll.hpp"
#include "rules/conditions/condition.hpp"
#include "rules/conditions/judgement.hpp"
#include "rules/signals/probe_shape.hpp"
#include "rules/signals/signal_spec.hpp"

namespace rules {

// Numbers frozen for a service: baseline(x) and before(x). Keys are the expression's text: "p95",
// `host.disk_used{path="/"}`.
using FrozenValues = std::map<std::string, double>;

// Which evidence counts, for one service at one time.
struct Scope {
  Instant not_before = Instant::min();         // samples from before do not count (new revision, clock jump)
  Cause not_before_cause = Cause::warming_up;  // what a window that is cut there and too short is unknown with
  std::optional<Cause> blanket;  // everything is unknown: deploying, warming_up, self_degraded, clock_jump
  const FrozenValues* baselines = nullptr;
  const FrozenValues* before = nullptr;
};

// Which part of a windowed signal's window is looked at.
enum class Part {
  window,  // all of it
  newest,  // what came since the poll before last, and before that as much as the signal needs to be known (SPEC 2.11)
  recent,  // the newest with as much as the signal needs to be known (min_count), at most the window
};

// Keeps what was measured for as long as some window needs it, and turns it into signals and verdicts
// (SPEC section 2, sentences 1 to 9). Asking changes nothing.
class Measurements {
 public:
  // `conditions` are all that will be judged: over-time functions and restarts() need history from the start.
  Measurements(std::vector<ProbeShape> probes, std::vector<SignalSpec> signals,
               const std::vector<Condition>& conditions);
  ~Measurements();
  Measurements(Measurements&&) noexcept;
  Measurements& operator=(Measurements&&) noexcept;

  // Stores a poll's readings. Polls of one instance come in the order of `ended`; an older one is ignored.
  void observe(const Poll& poll);

  // A new process answers from here on though no series said so (a container's id, a deployment): windows of the
  // probe end here.
  void instance_restarted(const ProbeName& probe, Instant at);

  // Keeps from `old` what the new configuration still measures the same way, for a reload.
  void adopt(Measurements&& old);

  Measured signal(const SignalName& name, const Scope& scope, Instant at, Part part = Part::window) const;
  // A field with its matchers, `up` and `duration` included. Several instances: `up` is the worst, others must be one.
  Measured field(const FieldRef& field, const Scope& scope, Instant at) const;
  Judgement judge(const Condition& condition, const Scope& scope, Instant at, Part part = Part::window) const;

  // `up` of the probe at `at`; unknown when stale or before the first poll.
  Up up(const ProbeName& probe, Instant at) const;
  // When that goes stale if nothing new comes; Instant::max() when it is stale already.
  Instant up_until(const ProbeName& probe, Instant at) const;
  // The probe's newest poll, if there was one.
  struct LastPoll {
    Instant ended;
    Up up = Up::unknown;
    std::optional<Fault> fault;
  };
  std::optional<LastPoll> last_poll(const ProbeName& probe) const;

  // About how many bytes of memory are kept of what one address of the probe brought. Nothing is decided by it.
  std::size_t kept(const ProbeName& probe, std::size_t instance) const;

  // Every probe whose polls can change the condition's verdict.
  std::set<ProbeName> probes_of(const Condition& condition) const;
  // Whether the condition reads any windowed signal, so that the newest part must be looked at before firing.
  bool windowed(const Condition& condition) const;
  // Which metric each signal with candidates took, for status and check: signal -> selector text.
  std::map<SignalName, std::string> taken() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The key of a referenced value in FrozenValues.
std::string frozen_key(const Expression& signal_or_field);

}  // namespace rules
