#include "watcher/steps/performer.hpp"

#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <new>
#include <utility>
#include <variant>
#include <vector>

#include "probes/net/cancelled.hpp"
#include "probes/net/child.hpp"
#include "probes/net/http_client.hpp"
#include "probes/net/task_group.hpp"
#include "probes/parse/expect.hpp"
#include "watcher/drivers/http_request.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/steps/evidence.hpp"
#include "watcher/steps/output_file.hpp"
#include "watcher/steps/redact.hpp"

namespace watcher {

namespace {

using rules::StepResult;
using rules::StepStatus;

constexpr std::string_view no_memory =
    "memory ran out in the middle of it, and what it had started was ended; give rollbackd more";

StepResult failed(std::string detail) {
  StepResult result;
  result.detail = std::move(detail);
  return result;
}

StepResult not_begun(std::string detail) {
  StepResult result = failed(std::move(detail));
  result.nothing_begun = true;
  return result;
}

// Evidence that cannot be written is missed, but holds up no step.
void note_trouble(StepResult& result, const std::optional<std::string>& trouble) {
  if (!trouble) return;
  if (!result.detail.empty()) result.detail += "; ";
  result.detail += *trouble;
}

// What became of the file that the command's output goes to.
asio::awaitable<void> settle(OutputFile& output, StepResult& result, const std::string& attempted,
                             rules::Duration limit) {
  if (result.status != StepStatus::succeeded) {
    const std::string kept = output.set_aside();
    if (!kept.empty()) result.detail += "; " + kept;
    co_return;
  }
  const std::optional<std::string> trouble = co_await output.put_in_place(limit);
  if (!trouble) co_return;
  result.status = StepStatus::failed;
  result.detail = attempted + ": stdout: " + *trouble;
}

StepStatus status_of(rules::FaultKind kind) {
  if (kind == rules::FaultKind::timeout) return StepStatus::timed_out;
  if (kind == rules::FaultKind::cancelled) return StepStatus::interrupted;
  return StepStatus::failed;
}

// The answer as the step's result: its status is the exit code, its body the output.
StepResult judge(const rules::HttpStep& step, std::variant<probes::HttpReply, rules::Fault> answer) {
  constexpr std::size_t body_kept_max = 64 * 1024;  // bytes; enough to see what the server said
  StepResult result;
  if (const auto* const fault = std::get_if<rules::Fault>(&answer)) {
    result.status = status_of(fault->kind);
    result.detail = fault->what;
    return result;
  }
  auto& reply = std::get<probes::HttpReply>(answer);
  std::optional<rules::Fault> contradiction = probes::check(step.expect, reply.status, reply.body);
  const bool looks = !step.expect.json.empty() || !step.expect.body.empty();
  if (contradiction && looks && reply.body_fault) contradiction = reply.body_fault;
  result.status = contradiction ? StepStatus::failed : StepStatus::succeeded;
  if (contradiction) result.detail = step.method + ": " + contradiction->what;
  result.exit_code = static_cast<int>(reply.status);
  result.output = std::move(reply.body);
  if (result.output.size() > body_kept_max) {
    result.output_dropped = static_cast<std::int64_t>(result.output.size() - body_kept_max);
    result.output.resize(body_kept_max);
  }
  return result;
}

}  // namespace

Performer::Performer(std::string incidents_dir, probes::Resolver& resolver, Services services,
                     std::vector<std::string> secrets)
    : incidents_dir_(std::move(incidents_dir)),
      resolver_(resolver),
      services_(std::move(services)),
      secrets_(std::move(secrets)) {}

std::vector<std::string> Performer::secrets_in(const rules::Perform& command) const {
  std::vector<std::string> all = secrets_of(command.step);
  all.insert(all.end(), secrets_.begin(), secrets_.end());
  const Driver* const driver = services_.driver(command.context.service);
  if (driver == nullptr) return all;
  const std::vector<std::string> known = driver->secrets();
  all.insert(all.end(), known.begin(), known.end());
  return all;
}

asio::awaitable<StepResult> Performer::perform(rules::Perform command, probes::Started started) {
  // A step that is called off still has to end its child and to say what became of it.
  co_await asio::this_coro::throw_if_cancelled(false);
  const std::vector<std::string> secrets = secrets_in(command);
  StepResult result;
  try {
    result = co_await attempt(std::move(command), std::move(started));
  } catch (const std::bad_alloc&) {
    result = failed(std::string(no_memory));
  }
  redact(result.detail, secrets);
  redact(result.output, secrets);
  co_return result;
}

asio::awaitable<StepResult> Performer::attempt(rules::Perform command, probes::Started started) {
  const auto& what = command.step.what;
  if (elsewhere_.takes && elsewhere_.takes(command))
    co_return co_await elsewhere_.perform(std::move(command), std::move(started));
  if (std::holds_alternative<rules::RunStep>(what)) co_return co_await run(std::move(command), std::move(started));
  if (std::holds_alternative<rules::HttpStep>(what)) co_return co_await ask_http(std::move(command));
  if (std::holds_alternative<rules::CaptureStep>(what)) co_return co_await capture_all(std::move(command));
  if (std::holds_alternative<rules::SwitchStep>(what))
    co_return co_await switch_revision(std::move(command), std::move(started));
  co_return failed("a " + std::string(kind_of(command.step)) + " step is not done by the performer");
}

probes::ChildSpec Performer::child_of(const rules::Perform& command, const std::vector<std::string>& argv) const {
  const rules::StepSpec& step = command.step;
  probes::ChildSpec child;
  std::optional<std::vector<std::string>> expanded = expand_argv(argv, command.context.from, command.context.to);
  if (expanded) child.argv = std::move(*expanded);
  child.dir = step.dir;
  if (child.dir.empty()) child.dir = services_.dir(command.context.service);
  child.user = step.user;
  child.env = step_environment(command, evidence_dir(incidents_dir_, command.context.incident));
  for (const auto& [name, text] : step.env) child.env.try_emplace(name, text.value);
  child.stdin_file = step.stdin_file;
  child.limit = step.timeout;
  return child;
}

asio::awaitable<StepResult> Performer::run(rules::Perform command, probes::Started started) {
  const std::vector<std::string>& argv = std::get<rules::RunStep>(command.step.what).argv;
  probes::ChildSpec child = child_of(command, argv);
  const std::string attempted = "run " + shown(argv);
  if (child.argv.empty()) co_return failed(attempted + ": the revision's name must not be put into a command line");
  if (command.step.uses_backup && command.context.backup.empty()) {
    co_return not_begun(attempted + ": it uses ROLLBACKD_BACKUP, and no backup is known");
  }
  child.started = std::move(started);
  const auto trouble = make_evidence_dir(evidence_dir(incidents_dir_, command.context.incident));
  std::optional<OutputFile> output;
  if (!command.step.stdout_file.empty()) output.emplace(command.step.stdout_file);
  const std::optional<std::string> unwritable = output ? output->begin() : std::nullopt;
  if (unwritable) co_return not_begun(attempted + ": stdout: " + *unwritable);
  if (output) child.stdout_descriptor = output->descriptor();
  const rules::Duration limit = child.limit;
  probes::ChildResult ended = co_await run_trusted(std::move(child));
  StepResult result = result_of(attempted, std::move(ended), limit);
  if (output) co_await settle(*output, result, attempted, limit);
  note_trouble(result, trouble);
  co_return result;
}

asio::awaitable<void> Performer::capture_beside(rules::Perform command) {
  const rules::StepId id = command.id;
  try {
    StepResult result = co_await capture(std::move(command));
    captured_[id] = std::move(result);
  } catch (const std::bad_alloc&) {
    co_return;  // it is made again when it is asked for
  }
}

asio::awaitable<StepResult> Performer::capture_all(rules::Perform command) {
  const auto known = captured_.find(command.id);
  if (known != captured_.end()) {
    StepResult result = std::move(known->second);
    captured_.erase(known);
    co_return result;
  }
  // What an incident of before did not ask for any more.
  std::erase_if(captured_, [&](const auto& one) { return one.first.incident == command.id.incident; });
  const auto executor = co_await asio::this_coro::executor;
  probes::TaskGroup group(executor);
  const std::vector<rules::StepSpec> beside = std::exchange(command.beside, {});
  StepResult result;
  try {
    for (std::size_t i = 0; i < beside.size(); ++i) {
      rules::Perform other = command;
      other.id.step += i + 1;
      other.step = beside[i];
      group.spawn("capture", capture_beside(std::move(other)));
    }
    result = co_await capture(std::move(command));
  } catch (const std::bad_alloc&) {
    result = failed(std::string(no_memory));
  }
  const bool called_off = co_await probes::cancelled();
  if (called_off) group.cancel();
  co_await group.join();
  co_return result;
}

asio::awaitable<StepResult> Performer::capture(rules::Perform command) {
  const auto& step = std::get<rules::CaptureStep>(command.step.what);
  const std::string attempted = "capture " + shown(step.argv);
  if (!is_evidence_name(step.file)) {
    co_return failed(attempted + ": \"" + step.file + "\" is not a plain file name of letters, digits, . _ -");
  }
  probes::ChildSpec child = child_of(command, step.argv);
  if (child.argv.empty()) co_return failed(attempted + ": the revision's name must not be put into a command line");
  child.output_max = evidence_file_max;
  const std::string dir = evidence_dir(incidents_dir_, command.context.incident);
  std::optional<std::string> trouble = make_evidence_dir(dir);
  if (trouble) co_return failed(attempted + ": " + *trouble);
  const rules::Duration limit = child.limit;
  bound_for_evidence(child, limit);
  probes::ChildResult ended = co_await run_trusted(std::move(child));
  StepResult result = result_of(attempted, std::move(ended), limit);
  // Also what a command wrote that failed is evidence.
  redact(result.output, secrets_in(command));
  const bool succeeded = result.status == StepStatus::succeeded;
  // It may have been captured before, by another step or attempt, and well.
  const std::string file =
      succeeded || !std::filesystem::exists(dir + "/" + step.file) ? step.file : step.file + ".failed";
  trouble = write_evidence(dir, file, result.output);
  if (trouble) result.status = StepStatus::failed;
  note_trouble(result, trouble);
  result.output = std::to_string(result.output.size()) + " bytes in evidence/" + file;
  co_return result;
}

asio::awaitable<StepResult> Performer::ask_http(rules::Perform command) {
  const auto& step = std::get<rules::HttpStep>(command.step.what);
  probes::TlsOptions tls;
  probes::HttpClient client(resolver_, std::move(tls));
  const probes::PreparedRequest request(request_of(step, command.step.timeout));
  auto answer = co_await client.fetch(request);
  co_return judge(step, std::move(answer));
}

asio::awaitable<StepResult> Performer::switch_revision(rules::Perform command, probes::Started started) {
  const rules::StepContext& context = command.context;
  Driver* const driver = services_.driver(context.service);
  if (driver == nullptr) {
    co_return not_begun("switch " + context.service.text + ": the service has no driver");
  }
  // Without an identity there is none to name: where it goes is the command's own affair.
  if (!context.to.empty() && !rules::is_safe_in_argv(context.to)) {
    co_return not_begun("switch " + context.service.text + ": the target's name must not be put into a command line");
  }
  SwitchRequest request;
  request.from = context.from;
  request.to = context.to;
  request.incident = context.incident;
  request.env = step_environment(command, evidence_dir(incidents_dir_, context.incident));
  for (const auto& [name, text] : command.step.env) request.env.try_emplace(name, text.value);
  request.limit = command.step.timeout;
  request.started = std::move(started);
  request.may_repeat = command.step.idempotent;
  const std::string dir = evidence_dir(incidents_dir_, context.incident);
  const auto trouble = make_evidence_dir(dir);
  std::vector<EvidenceCommand> evidence = co_await driver->evidence();
  request.secrets = secrets_in(command);
  if (!trouble && !evidence.empty()) {
    std::vector<std::string> secrets = request.secrets;
    co_await keep_evidence(std::move(evidence), dir, std::move(secrets));
  }
  StepResult result = co_await driver->switch_to(std::move(request));
  note_trouble(result, trouble);
  co_return result;
}

}  // namespace watcher
