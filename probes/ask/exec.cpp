#include "probes/ask/frame.hpp"
#include "probes/key_rows.hpp"
#include "probes/net/child.hpp"
#include "probes/net/faults.hpp"
#include "probes/net/user.hpp"
#include "probes/parse/exec_output.hpp"
#include "probes/parse/names.hpp"
#include "probes/probe.hpp"

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
        account_(around.memory, config.name, 0),
        page_account_(around.memory, config.name, 0),
        spec_(child_of(config, what)),
        attempt_(what.run.empty() ? "run" : "run " + what.run.front()),
        output_(what),
        look_at_(around.look_at) {
    spec_.account = &account_;
  }

  asio::awaitable<rules::Poll> poll() override {
    const rules::Instant started = frame_.now();
    ChildSpec spec = spec_;
    std::optional<std::string> refused;
    if (look_at_ != nullptr) refused = look_at_(spec);
    if (refused) co_return frame_.finish(started, {}, Fault{FaultKind::not_measurable, attempt_ + ": " + *refused});
    const ChildResult result = co_await run_child(std::move(spec));
    ExecAnswer answer = answer_of(result);
    weigh(answer);
    if (answer.fault) answer.fault->what.insert(0, prefix_of(result));
    co_return frame_.finish(started, std::move(answer.readings), std::move(answer.fault));
  }

 private:
  ExecAnswer answer_of(const ChildResult& result) {
    const bool cut = result.output_dropped > 0;
    output_.set_room(account_.room());
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

  // What it said is read by now: what is remembered of it, and what windows have, may be too much.
  void weigh(ExecAnswer& answer) {
    account_.hold(0);
    const bool is_put_off = page_account_.is_put_off();
    const bool fits = page_account_.hold(output_.held());
    if (answer.fault || (fits && !is_put_off)) return;
    if (!is_put_off) {
      refused_ = Fault{FaultKind::no_memory, page_account_.refusal()};
      page_account_.put_off();
    }
    answer = failed(refused_);
    output_.forget();
    page_account_.hold(output_.held());
  }

  static ExecAnswer failed(Fault fault) { return {rules::Up::unknown, std::move(fault), {}}; }

  std::string prefix_of(const ChildResult& result) const {
    const bool ended = result.end == ChildEnd::exited || result.end == ChildEnd::signalled;
    return ended ? attempt_ + ": " : "";
  }

  PollFrame frame_;
  MemoryBudget::Account account_;                                              // of what the command says
  MemoryBudget::Account page_account_;                                         // of what is remembered of it
  Fault refused_{FaultKind::no_memory, "it would have kept too much lately"};  // why it is put off
  ChildSpec spec_;
  std::string attempt_;
  ExecOutput output_;
  std::optional<std::string> (*look_at_)(ChildSpec& command);
};

constexpr Word formats[]{
    {"nagios", static_cast<int>(ExecFormat::nagios), "exit code and performance data as monitoring plugins have them"},
    {"exit", static_cast<int>(ExecFormat::exit), "up when it exits with 0; the field exit_code"},
    {"number", static_cast<int>(ExecFormat::number), "one number, as the field value"},
    {"prometheus", static_cast<int>(ExecFormat::prometheus), "a page of metrics"},
    {"json", static_cast<int>(ExecFormat::json), "a JSON document, from which values takes fields"},
    {"regex", static_cast<int>(ExecFormat::regex), "text, in which values finds fields"},
};

constexpr std::array keys{
    key<Kind::folder, &ExecProbe::dir>("dir", "The folder in which the command runs.")
        .when_left_out("the configuration's folder"),
    key<Kind::argv, &ExecProbe::run>("run", "The command, never a shell.")
        .required("write run = [\"COMMAND\", \"ARGUMENT\"]"),
    choice<formats, &ExecProbe::format>("format", "How what it prints is read."),
    key<Kind::map, &ExecProbe::values>(
        "values", "Fields of the probe: a JSON pointer each (format json), or an RE2 pattern with one group (regex)."),
    key<Kind::texts, &ExecProbe::env>("env", "What its environment has besides ours.").checked(wrong_variable),
    key<Kind::string, &ExecProbe::user>("user", "The user that it runs as.")
        .checked(wrong_user)
        .when_left_out("our own"),
};

void settle(void* object, Given& given) {
  const auto& probe = *static_cast<const ExecProbe*>(object);
  const auto refuse = [&given](const std::string& wrong) {
    if (!wrong.empty()) given.error("values", wrong);
  };
  for (const auto& [field, source] : probe.values) {
    refuse(wrong_field(field));
    if (probe.format == ExecFormat::json) refuse(wrong_pointer(source));
    if (probe.format == ExecFormat::regex) refuse(wrong_pattern(source));
  }
  const bool takes_values = probe.format == ExecFormat::json || probe.format == ExecFormat::regex;
  if (takes_values && probe.values.empty())
    given.missing("values", "say what to take, such as values = { hits = 'hits:(\\d+)' }");
  if (!takes_values && !probe.values.empty()) refuse("only format = \"json\" and \"regex\" take values");
}

}  // namespace

ProbeList ExecProbe::make(const ProbeConfig& config, Surroundings around) const {
  ProbeList probes;
  probes.push_back(std::make_unique<Exec>(config, *this, around));
  return probes;
}

Variety ExecProbe::variety() {
  return probes::variety<ProbeKind, ExecProbe>("exec", "What a command says, such as a monitoring plugin.", keys,
                                               settle);
}
std::vector<std::string> ExecProbe::fields() const {
  std::vector<std::string> out;
  if (format == ExecFormat::number) out.emplace_back("value");
  if (format == ExecFormat::exit) out.emplace_back("exit_code");
  for (const auto& [name, source] : values) out.push_back(name);
  return out;
}
bool ExecProbe::any_field() const { return format == ExecFormat::nagios || format == ExecFormat::prometheus; }

}  // namespace probes
