#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <utility>

#include "probes/net/result.hpp"
#include "watcher/drivers/compose_identity.hpp"
#include "watcher/journal/lock_place.hpp"
#include "watcher/run/log.hpp"
#include "watcher/runner/runner.hpp"
#include "watcher/runner/shown_evidence.hpp"
#include "watcher/steps/evidence.hpp"
#include "watcher/steps/see_out.hpp"

// What the runner does for a plan: a step at a time, begun once, seen to its end whoever is still there to hear of it.

namespace watcher {

namespace {

using probes::as_result;

constexpr rules::Duration write_limit = std::chrono::seconds(10);

std::string name_of(const rules::StepId& id) {
  return "step=" + std::string(to_string(id.section)) + "." + std::to_string(id.step + 1) +
         " incident=" + log_value(id.incident.text);
}

// What a person begins without a plan: it is in no configuration.
rules::ActionSpec bare_switch() {
  rules::StepSpec step;
  step.what = rules::SwitchStep{};
  rules::ActionSpec bare;
  bare.name = rules::ActionName("rollback");
  bare.steps.push_back(std::move(step));
  return bare;
}

const std::vector<rules::StepSpec>& section_of(const rules::ActionSpec& action, rules::PlanSection section) {
  switch (section) {
    case rules::PlanSection::steps:
      return action.steps;
    case rules::PlanSection::on_success:
      return action.on_success;
    case rules::PlanSection::on_failure:
      return action.on_failure;
    case rules::PlanSection::always:
      return action.always;
  }
  return action.steps;
}

// The plan of that name that the asker has in mind: the configuration's, or a bare switch.
std::optional<rules::ActionSpec> plan_meant(const Config& config, const Question& question) {
  const auto is_meant = [&](const rules::ActionSpec& action) {
    return action.name == question.action && sha256_hex(action.fingerprint()) == question.plan;
  };
  for (const rules::ActionSpec& action : config.core.actions) {
    if (is_meant(action)) return action;
  }
  rules::ActionSpec bare = bare_switch();
  if (is_meant(bare)) return bare;
  return std::nullopt;
}

bool is_ours(const rules::StepSpec& step) {
  return std::holds_alternative<rules::RunStep>(step.what) || std::holds_alternative<rules::CaptureStep>(step.what) ||
         std::holds_alternative<rules::SwitchStep>(step.what);
}

std::string with_result(rules::StepResult result) {
  RunnerReply reply;
  reply.result = std::move(result);
  return line_of(reply);
}

std::string with_refusal(Says says, std::string why) {
  RunnerReply reply;
  reply.says = says;
  reply.why = std::move(why);
  return line_of(reply);
}

}  // namespace

void Runner::Step::wake() const {
  for (asio::steady_timer* const timer : waiting) timer->cancel();
}

// What is to be done as the configuration has it, or why it is not, for people.
std::variant<rules::Perform, std::string> Runner::command_of(const Question& question) const {
  const Config& config = *tools_->config;
  const rules::StepId& id = question.step;
  if (!tools_->services.contains(question.service) || question.context.service != question.service)
    return "the runner's configuration has no service " + question.service.text;
  if (question.context.incident != id.incident) return "it names two incidents";
  const std::optional<rules::ActionSpec> action = plan_meant(config, question);
  if (!action) return "the runner's configuration has no action " + question.action.text + ", or has changed it";
  const std::vector<rules::StepSpec>& steps = section_of(*action, id.section);
  if (id.step >= steps.size()) return "action " + action->name.text + " has no such step";
  rules::Perform out{id, steps[id.step], question.context, rules::is_mutating(steps[id.step])};
  if (!is_ours(out.step)) return "a " + std::string(kind_of(out.step)) + " step is not the runner's to do";
  for (std::size_t next = id.step + 1; next < steps.size() && out.beside.size() < question.beside; ++next) {
    if (!std::holds_alternative<rules::CaptureStep>(steps[next].what)) break;
    out.beside.push_back(steps[next]);
  }
  return out;
}

std::string Runner::why_not_begun(const rules::Perform& command) {
  if (stopping_) return "the runner is being stopped";
  for (const auto& [id, step] : steps_) {
    const bool is_at_work = step->is_mutating && !step->result;
    if (command.mutating && is_at_work) return "another step is at work, of incident " + id.incident.text;
  }
  if (auto trouble = kept_.begin(command.id)) return "it could not be written down that it is begun: " + *trouble;
  return "";
}

asio::awaitable<void> Runner::perform(Question question, Lines& lines) {
  const rules::StepId id = question.step;
  const auto known = steps_.find(id);
  if (known != steps_.end()) {
    const SharedStep step = known->second;
    co_return co_await follow(id, step, lines);
  }
  std::string line;
  std::optional<rules::StepResult> kept = kept_.of(id);
  // What was broken off may be begun again, by whoever has looked at what runs; what has an end has it for good.
  const bool has_ended = kept && !kept->nothing_begun && kept->status != rules::StepStatus::interrupted;
  std::variant<rules::Perform, std::string> command = command_of(question);
  std::string refused;
  if (auto* const why = std::get_if<std::string>(&command)) refused = std::move(*why);
  if (!has_ended && refused.empty()) refused = why_not_begun(std::get<rules::Perform>(command));
  if (has_ended) line = with_result(*std::move(kept));
  if (!has_ended && !refused.empty()) line = with_refusal(Says::refused, "the runner refuses: " + refused);
  if (!line.empty()) {
    if (!refused.empty()) log_warning("refused", name_of(id) + " why=" + log_value(refused));
    co_await lines.write(std::move(line), write_limit);
    co_return;
  }
  rules::Perform& begun = std::get<rules::Perform>(command);
  const SharedStep step = std::make_shared<Step>(begun.mutating);
  steps_[id] = step;
  log_info("step_started", name_of(id) + " kind=" + std::string(kind_of(begun.step)));
  tasks_.spawn("step", run_step(std::move(begun), step, tools_));
  co_await follow(id, step, lines);
}

// `tools` is only held: a reload may drop it while the step runs.
asio::awaitable<void> Runner::run_step(rules::Perform command, SharedStep step,
                                       [[maybe_unused]] std::shared_ptr<Tools> tools) {
  const rules::StepId id = command.id;
  probes::Started started;
  if (command.mutating) {
    started = [this, id, step](pid_t pid, rules::Duration limit) { note_child(id, *step, pid, limit); };
  }
  auto work = tools->performer->perform(std::move(command), std::move(started));
  auto token = asio::bind_cancellation_slot(step->cancel.slot(), as_result);
  const auto [error, result] = co_await asio::co_spawn(executor_, std::move(work), token);
  if (error) std::rethrow_exception(error);
  finish(id, *step, result);
}

void Runner::finish(const rules::StepId& id, Step& step, rules::StepResult result) {
  log_info("step_ended", name_of(id) + " status=" + std::string(to_string(result.status)));
  const auto shown = show_evidence_to(evidence_dir(dir_ + "/incidents", id.incident), group_);
  if (shown) log_warning("evidence", "what=" + log_value(*shown));
  const std::optional<std::string> trouble = kept_.end(id, result);
  step.result = std::move(result);
  step.lock.reset();
  const SharedStep held = steps_[id];
  // What the disk does not take stays in memory: somebody may still ask for it.
  if (!trouble) steps_.erase(id);
  if (trouble) log_warning("kept", "what=" + log_value(*trouble));
  held->wake();
}

void Runner::note_child(const rules::StepId& id, Step& step, pid_t pid, rules::Duration limit) {
  std::optional<probes::ProcessId> process = probes::process_of(pid);
  if (!process) return log_warning("at_work", "pid=" + std::to_string(pid) + " what=\"/proc does not show it\"");
  step.child = AtWork{id, std::move(*process), clock_.now() + limit, limit};
  ++step.children;
  if (const auto fault = write_at_work(dir_, *step.child)) log_warning("at_work", "what=" + log_value(fault->what));
  if (step.lock) step.lock->note(*step.child);
  step.wake();
}

// Until the step has ended, or whoever follows it is gone.
asio::awaitable<void> Runner::follow(rules::StepId id, SharedStep step, Lines& lines) {
  asio::steady_timer woken(executor_, asio::steady_timer::time_point::max());
  const auto is_gone = std::make_shared<bool>(false);  // with the connection's last handler, which outlives us
  ++step->followers;
  step->waiting.insert(&woken);
  lines.when_heard([is_gone, weak = std::weak_ptr<Step>(step)] {
    *is_gone = true;
    if (const SharedStep still = weak.lock()) still->wake();
  });
  int told = 0;
  while (!step->result && !*is_gone) {
    if (step->child && step->children > told) {
      told = step->children;
      RunnerReply reply;
      reply.says = Says::started;
      reply.child = ChildAtWork{step->child->process.pid, step->child->limit};
      std::string line = line_of(reply);
      const bool is_heard = co_await lines.write(std::move(line), write_limit);
      if (!is_heard) *is_gone = true;
      continue;
    }
    co_await woken.async_wait(as_result);
  }
  step->waiting.erase(&woken);
  --step->followers;
  if (!step->result) {
    if (step->followers == 0) hold_host(id, *step);
    co_return;
  }
  std::string line = with_result(*step->result);
  co_await lines.write(std::move(line), write_limit);
}

// The watcher's lock has ended with it, and the step goes on: nobody else of the host may begin anything.
void Runner::hold_host(const rules::StepId& id, Step& step) {
  log_warning("left_alone", name_of(id) + " what=\"whoever asked for it is gone; it goes on\"");
  if (!step.is_mutating || step.lock) return;
  std::string holder;
  step.lock = HostLock::try_take("incident " + id.incident.text, dir_, holder);
  if (!step.lock) return log_warning("host_lock", "holder=" + log_value(holder));
  if (step.child) step.lock->note(*step.child);
}

asio::awaitable<void> Runner::tell_result(Question question, Lines& lines) {
  const auto known = steps_.find(question.step);
  if (known != steps_.end()) {
    const SharedStep step = known->second;
    co_return co_await follow(question.step, step, lines);
  }
  std::optional<rules::StepResult> kept = kept_.of(question.step);
  std::string line =
      kept ? with_result(*std::move(kept)) : with_refusal(Says::unknown, "the runner never began that step");
  co_await lines.write(std::move(line), write_limit);
}

void Runner::start() {
  // Also gives the file to the folder's group, whom the watcher belongs to.
  const std::string no_lock = why_no_host_lock(dir_);
  if (!no_lock.empty()) log_warning("host_lock", "what=" + log_value(no_lock));
  std::optional<AtWork> left = left_at_work(dir_);
  if (!left) return;
  log_warning("found_at_work", name_of(left->step) + " pid=" + std::to_string(left->process.pid));
  const SharedStep step = std::make_shared<Step>(true);
  step->child = left;
  step->children = 1;
  steps_[left->step] = step;
  tasks_.spawn("left at work", see_out_left(*std::move(left), step));
}

asio::awaitable<void> Runner::see_out_left(AtWork left, SharedStep step) {
  const rules::StepId id = left.step;
  auto work = see_out(std::move(left), clock_, probes::ChildSpec().grace);
  auto token = asio::bind_cancellation_slot(step->cancel.slot(), as_result);
  const auto [error, result] = co_await asio::co_spawn(executor_, std::move(work), token);
  if (error) std::rethrow_exception(error);
  finish(id, *step, result);
}

bool Runner::step_in_flight() const {
  for (const auto& [id, step] : steps_) {
    if (!step->result) return true;
  }
  return false;
}

asio::awaitable<void> Runner::stop() {
  stopping_ = true;
  co_await tasks_.join();
}

}  // namespace watcher
