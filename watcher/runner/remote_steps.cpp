#include "watcher/runner/remote_steps.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "probes/net/process.hpp"
#include "probes/net/result.hpp"
#include "watcher/drivers/compose_identity.hpp"
#include "watcher/run/log.hpp"
#include "watcher/runner/remote_driver.hpp"
#include "watcher/steps/evidence.hpp"

namespace watcher {

namespace {

using probes::as_result;

// Before anything is begun: a runner that is started anew is back by then.
constexpr rules::Duration first_patience = std::chrono::seconds(30);
// For a runner that has a step and is gone: its service manager brings it back, or somebody has to.
constexpr rules::Duration lost_patience = std::chrono::minutes(5);
constexpr rules::Duration pause_first = std::chrono::milliseconds(50);
constexpr rules::Duration pause_last = std::chrono::seconds(1);
constexpr rules::Duration cancel_limit = std::chrono::seconds(10);

rules::StepResult not_begun(std::string why) {
  rules::StepResult result;
  result.nothing_begun = true;
  result.detail = std::move(why);
  return result;
}

rules::StepResult unseen(std::string why) {
  rules::StepResult result;
  result.status = rules::StepStatus::interrupted;
  result.unseen = true;
  result.detail = std::move(why);
  return result;
}

RunnerClient::Started told_of(probes::Started started) {
  if (!started) return {};
  return [started = std::move(started)](const ChildAtWork& child) {
    // One that has ended by now nobody has to find.
    if (child.pid > 1 && probes::process_of(child.pid)) started(child.pid, child.limit);
  };
}

bool is_service_at_runner(const Config& config, const rules::ServiceName& service) {
  return std::any_of(config.drivers.begin(), config.drivers.end(), [&](const DriverSection& section) {
    return section.service == service && is_at_runner(config, section);
  });
}

rules::StepContext plain(rules::StepContext context) {
  context.reason = plain_text(context.reason);
  context.schema_from = plain_text(context.schema_from);
  context.schema_to = plain_text(context.schema_to);
  context.from_label.clear();
  context.to_label.clear();
  return context;
}

}  // namespace

RemoteSteps::RemoteSteps(std::shared_ptr<const Config> config, std::shared_ptr<RunnerClient> client)
    : config_(std::move(config)), client_(std::move(client)) {}

Performer::Elsewhere elsewhere(std::shared_ptr<RemoteSteps> steps) {
  Performer::Elsewhere out;
  out.takes = [steps](const rules::Perform& command) { return steps->takes(command); };
  out.perform = [steps](rules::Perform command, probes::Started started) {
    return steps->perform(std::move(command), std::move(started));
  };
  return out;
}

// At most one on the host changes anything at a time.
std::optional<rules::StepId> left_at_runner(const Config& config, const rules::DurableState& durable) {
  for (const rules::IncidentRecord& incident : durable.incidents) {
    const bool is_open = incident.phase != rules::IncidentPhase::closed && incident.in_flight;
    const rules::StepId id{incident.id, incident.rung, incident.section, incident.step, incident.attempt};
    const auto step = std::find_if(durable.steps.begin(), durable.steps.end(),
                                   [&](const rules::StepRecord& one) { return one.id == id && !one.ended; });
    if (!is_open || step == durable.steps.end()) continue;
    const bool is_there = is_service_at_runner(config, incident.service);
    const bool is_command = step->kind == "run" && !config.watcher.runner.empty();
    if (is_command || (step->kind == "switch" && is_there)) return id;
  }
  return std::nullopt;
}

bool RemoteSteps::takes(const rules::Perform& command) const {
  const auto& what = command.step.what;
  if (std::holds_alternative<rules::RunStep>(what) || std::holds_alternative<rules::CaptureStep>(what)) return true;
  if (!std::holds_alternative<rules::SwitchStep>(what)) return false;
  return is_service_at_runner(*config_, command.context.service);
}

asio::awaitable<RunnerReply> RemoteSteps::ask_until_reached(Question question, rules::Duration patience,
                                                            probes::Started started) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const RunnerClient::Started tell = told_of(std::move(started));
  rules::Duration pause = pause_first;
  for (rules::Duration waited{};; waited += pause) {
    RunnerReply reply = co_await client_->ask(question, rules::Duration::zero(), tell);
    const bool called_off = co_await probes::cancelled();
    if (reply.says != Says::unreachable || waited >= patience || called_off) co_return reply;
    timer.expires_after(pause);
    co_await timer.async_wait(as_result);
    pause = std::min<rules::Duration>(2 * pause, pause_last);
  }
}

asio::awaitable<void> RemoteSteps::call_off(rules::StepId step) {
  Question question;
  question.asks = Asks::cancel;
  question.step = std::move(step);
  co_await client_->ask(std::move(question), cancel_limit, RunnerClient::Started());
}

// From the first answer to the last.
asio::awaitable<rules::StepResult> RemoteSteps::follow(rules::StepId step, RunnerReply reply, probes::Started started) {
  bool is_called_off = false;
  const bool was_lost = reply.says == Says::lost;
  while (reply.says == Says::lost) {
    const bool cancelled_now = co_await probes::cancelled();
    if (cancelled_now && !is_called_off) {
      is_called_off = true;
      co_await call_off(step);
    }
    Question question;
    question.asks = Asks::result;
    question.step = step;
    reply = co_await ask_until_reached(std::move(question), lost_patience, started);
    if (reply.says == Says::unreachable && cancelled_now) co_return unseen(reply.why);
  }
  if (reply.says == Says::done && reply.result) co_return *std::move(reply.result);
  if (reply.says == Says::unknown) co_return not_begun("the runner was ended before it began");
  // It may have been begun, and whoever is there now cannot say.
  if (was_lost || reply.says == Says::unreachable) co_return unseen(reply.why);
  co_return not_begun(reply.why);
}

asio::awaitable<rules::StepResult> RemoteSteps::perform(rules::Perform command, probes::Started started) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Question question;
  question.asks = Asks::perform;
  question.service = command.context.service;
  question.action = command.action;
  question.plan = sha256_hex(command.plan);
  question.step = command.id;
  question.context = plain(command.context);
  question.beside = static_cast<std::uint32_t>(command.beside.size());
  RunnerReply reply = co_await ask_until_reached(std::move(question), first_patience, started);
  if (reply.says == Says::unreachable) co_return not_begun(reply.why);
  rules::StepResult result = co_await follow(command.id, std::move(reply), std::move(started));
  link_evidence(command.id.incident);
  co_return result;
}

asio::awaitable<rules::StepResult> RemoteSteps::find_again(rules::StepId step, probes::Started started) {
  co_await asio::this_coro::throw_if_cancelled(false);
  RunnerReply lost;
  lost.says = Says::lost;
  rules::StepResult result = co_await follow(step, std::move(lost), std::move(started));
  link_evidence(step.incident);
  // That it was not begun is nothing that this watcher has seen: what runs is looked at.
  if (result.nothing_begun) co_return unseen(std::move(result.detail));
  co_return result;
}

// The runner writes evidence where the watcher cannot lead it astray by a link. Its files are linked one by one: a
// switch that the watcher does itself has its evidence beside them.
void RemoteSteps::link_evidence(const rules::IncidentId& incident) const {
  const std::string there = evidence_dir(config_->watcher.runner_dir + "/incidents", incident);
  const std::string here = evidence_dir(config_->watcher.state_dir + "/incidents", incident);
  std::error_code failure;
  if (!std::filesystem::is_directory(there, failure)) return;
  if (std::filesystem::is_symlink(here, failure)) return;  // of all of it, by a release of before
  if (const auto trouble = make_evidence_dir(here)) return log_warning("evidence", "what=" + log_value(*trouble));
  for (const auto& entry : std::filesystem::directory_iterator(there, failure)) {
    const std::string link = here + "/" + entry.path().filename().string();
    std::error_code unlinked;
    if (std::filesystem::symlink_status(link, unlinked).type() != std::filesystem::file_type::not_found) continue;
    std::filesystem::create_symlink(entry.path(), link, unlinked);
    if (unlinked) log_warning("evidence", "what=" + log_value("link " + link + ": " + unlinked.message()));
  }
}

}  // namespace watcher
