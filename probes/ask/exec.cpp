#include "probes/ask/frame.hpp"
#include "probes/ask/types.hpp"
#include "probes/net/child.hpp"
#include "probes/net/faults.hpp"
#include "probes/parse/exec_output.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;

// Shorter than for steps: a check that hangs must be told before its last sample is stale.
constexpr rules::Duration grace = std::chrono::seconds(1);
constexpr int signalled_base = 128;  // a shell's way to say "killed by a signal"

ChildSpec child_of(const ProbeConfig& config, const ExecProbe& what) {
  ChildSpec spec;
  spec.argv = what.run;
  spec.dir = what.dir;
  spec.user = what.user;
  for (const auto& [name, value] : what.env) spec.env.emplace(name, value.value);
  spec.limit = config.timeout;
  spec.grace = grace;
  spec.stragglers = Stragglers::kill;
  return spec;
}

Fault not_started(const ChildResult& result) {
  if (result.no_descriptors) return {FaultKind::no_descriptors, result.error};
  if (result.command_missing) return {FaultKind::not_found, result.error + "; install it or correct `run`"};
  return {FaultKind::not_measurable, result.error};
}

class Exec final : public Probe {
 public:
  Exec(const ProbeConfig& config, const ExecProbe& what, Surroundings around)
      : frame_(config, 0, around.clock),
        spec_(child_of(config, what)),
        attempt_(what.run.empty() ? "run" : "run " + what.run.front()),
        output_(what) {}

  asio::awaitable<rules::Poll> poll() override {
    const rules::Instant started = frame_.now();
    const ChildResult result = co_await run_child(spec_);
    ExecAnswer answer = answer_of(result);
    if (answer.fault) answer.fault->what.insert(0, prefix_of(result));
    co_return frame_.finish(started, std::move(answer.readings), std::move(answer.fault));
  }

 private:
  ExecAnswer answer_of(const ChildResult& result) {
    const bool cut = result.output_dropped > 0;
    switch (result.end) {
      case ChildEnd::exited:
        return output_.read(result.exit_code, result.output_stdout, cut);
      case ChildEnd::signalled:
        return output_.read(signalled_base + result.exit_code, result.output_stdout, cut);
      case ChildEnd::timed_out:
        return failed(timeout_fault(attempt_, spec_.limit));
      case ChildEnd::cancelled:
        return failed(cancelled_fault(attempt_));
      case ChildEnd::not_started:
        return failed(not_started(result));
    }
    return failed(cancelled_fault(attempt_));
  }

  static ExecAnswer failed(Fault fault) { return {rules::Up::unknown, std::move(fault), {}}; }

  std::string prefix_of(const ChildResult& result) const {
    const bool ended = result.end == ChildEnd::exited || result.end == ChildEnd::signalled;
    return ended ? attempt_ + ": " : "";
  }

  PollFrame frame_;
  ChildSpec spec_;
  std::string attempt_;
  ExecOutput output_;
};

}  // namespace

ProbeList make_exec(const ProbeConfig& config, const ExecProbe& what, Surroundings around) {
  ProbeList probes;
  probes.push_back(std::make_unique<Exec>(config, what, around));
  return probes;
}

}  // namespace probes
