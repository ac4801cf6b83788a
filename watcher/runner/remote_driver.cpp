#include "watcher/runner/remote_driver.hpp"

#include <utility>
#include <variant>

#include "watcher/run/log.hpp"

namespace watcher {

namespace {

// For each line of an answer. A look is bounded by the driver itself; one that was told to be patient has what a busy
// host needs.
constexpr rules::Duration look_limit = std::chrono::minutes(1);
constexpr rules::Duration patient_limit = std::chrono::minutes(10);

struct RunsHere {
  bool operator()(std::monostate) const { return true; }
  bool operator()(const auto& driver) const { return driver.runs_here(); }
};

class RemoteDriver final : public Driver {
 public:
  RemoteDriver(const DriverSection& section, std::string state_dir, const probes::Clock& clock,
               std::shared_ptr<RunnerClient> client)
      : section_(section), state_dir_(std::move(state_dir)), clock_(clock), client_(std::move(client)) {}

  asio::awaitable<rules::RevisionRead> identify() override;
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to) override;
  asio::awaitable<NameMeans> meaning_of(std::string name) override;
  asio::awaitable<std::vector<std::string>> taken_back(rules::Revision from, rules::Revision to,
                                                       std::size_t most) override;
  std::vector<std::string> asks_for(const rules::Revision& from, const rules::Revision& to) const override;
  asio::awaitable<std::vector<std::string>> taken_away(rules::Revision to, std::vector<std::string> files) override;
  asio::awaitable<std::vector<std::vector<rules::Revision>>> alike(Known known,
                                                                   std::vector<rules::Revision> named) override;
  asio::awaitable<std::vector<std::string>> advice() override;
  void be_patient() override { patient_until_ = clock_.now() + driver_patience; }
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  std::string aftermath() const override { return aftermath_; }

 private:
  Question question(Asks asks) const;
  asio::awaitable<RunnerReply> ask(Question question);
  asio::awaitable<rules::ReadinessRead> readiness(Asks asks, std::optional<rules::Revision> to);

  DriverSection section_;
  std::string state_dir_;
  const probes::Clock& clock_;
  std::shared_ptr<RunnerClient> client_;  // with the other drivers
  rules::Instant patient_until_;
  std::string aftermath_;
};

Question RemoteDriver::question(Asks asks) const {
  Question out;
  out.asks = asks;
  out.service = section_.service;
  out.patient = clock_.now() < patient_until_;
  return out;
}

asio::awaitable<RunnerReply> RemoteDriver::ask(Question question) {
  const rules::Duration limit = question.patient ? patient_limit : look_limit;
  co_return co_await client_->ask(std::move(question), limit, RunnerClient::Started());
}

asio::awaitable<rules::RevisionRead> RemoteDriver::identify() {
  const rules::Instant started = clock_.now();
  Question asked = question(Asks::identify);
  RunnerReply reply = co_await ask(std::move(asked));
  rules::RevisionRead read;
  if (reply.says == Says::done && reply.read) read = *std::move(reply.read);
  if (reply.says == Says::done) aftermath_ = std::move(reply.text);
  // It has no revision then, and says why.
  if (reply.says != Says::done) read.error = std::move(reply.why);
  if (read.revision && !rules::is_safe_in_argv(*read.revision)) read.revision.reset();
  read.service = section_.service;
  read.started = started;
  read.ended = clock_.now();
  co_return read;
}

asio::awaitable<rules::ReadinessRead> RemoteDriver::readiness(Asks asks, std::optional<rules::Revision> to) {
  Question asked = question(asks);
  asked.to = std::move(to);
  RunnerReply reply = co_await ask(std::move(asked));
  if (reply.says != Says::done || !reply.readiness) {
    std::string why = reply.why.empty() ? "the runner did not say whether it could" : std::move(reply.why);
    co_return readiness_of(section_.service, std::move(why), clock_.now());
  }
  rules::ReadinessRead read = *std::move(reply.readiness);
  read.service = section_.service;
  read.at = clock_.now();
  co_return read;
}

asio::awaitable<rules::ReadinessRead> RemoteDriver::ready(std::optional<rules::Revision> to) {
  co_return co_await readiness(Asks::ready, std::move(to));
}

asio::awaitable<rules::ReadinessRead> RemoteDriver::still_ready(std::optional<rules::Revision> to) {
  co_return co_await readiness(Asks::still_ready, std::move(to));
}

asio::awaitable<NameMeans> RemoteDriver::meaning_of(std::string name) {
  Question asked = question(Asks::meaning_of);
  asked.name = std::move(name);
  RunnerReply reply = co_await ask(std::move(asked));
  NameMeans means;
  means.why_none = "the runner does not answer";
  if (reply.means) means = *std::move(reply.means);
  co_return means;
}

asio::awaitable<std::vector<std::string>> RemoteDriver::taken_back(rules::Revision from, rules::Revision to,
                                                                   std::size_t most) {
  Question asked = question(Asks::taken_back);
  asked.from = std::move(from);
  asked.to = std::move(to);
  asked.most = static_cast<std::uint32_t>(most);
  RunnerReply reply = co_await ask(std::move(asked));
  co_return std::move(reply.lines);
}

// Asks nobody: what it says is in the configuration.
std::vector<std::string> RemoteDriver::asks_for(const rules::Revision& from, const rules::Revision& to) const {
  return make_driver(section_, state_dir_, clock_)->asks_for(from, to);
}

asio::awaitable<std::vector<std::string>> RemoteDriver::taken_away(rules::Revision to, std::vector<std::string> files) {
  if (files.empty()) co_return std::vector<std::string>();
  Question asked = question(Asks::taken_away);
  asked.to = std::move(to);
  asked.files = std::move(files);
  RunnerReply reply = co_await ask(std::move(asked));
  co_return std::move(reply.lines);
}

asio::awaitable<std::vector<std::vector<rules::Revision>>> RemoteDriver::alike(Known known,
                                                                               std::vector<rules::Revision> named) {
  Question asked = question(Asks::alike);
  asked.named = std::move(named);
  RunnerReply reply = co_await ask(asked);
  if (!reply.asks_for_known) co_return std::move(reply.groups);
  asked.known = known();
  reply = co_await ask(std::move(asked));
  co_return std::move(reply.groups);
}

asio::awaitable<std::vector<std::string>> RemoteDriver::advice() {
  Question asked = question(Asks::advice);
  RunnerReply reply = co_await ask(std::move(asked));
  co_return std::move(reply.lines);
}

// A step goes there as a step, with what the plan has around it: RemoteSteps.
asio::awaitable<rules::StepResult> RemoteDriver::switch_to(SwitchRequest) {
  rules::StepResult refused;
  refused.nothing_begun = true;
  refused.detail = "switch " + section_.service.text + ": it is the runner's to do";
  co_return refused;
}

}  // namespace

bool is_at_runner(const Config& config, const DriverSection& section) {
  return !config.watcher.runner.empty() && !std::visit(RunsHere(), section.driver);
}

std::unique_ptr<Driver> driver_here(const Config& config, const DriverSection& section, const probes::Clock& clock,
                                    std::shared_ptr<RunnerClient> client) {
  if (client == nullptr || !is_at_runner(config, section)) return make_driver(section, config.watcher.state_dir, clock);
  return std::make_unique<RemoteDriver>(section, config.watcher.state_dir, clock, std::move(client));
}

asio::awaitable<SchemaRead> read_schema_there(RunnerClient& runner, rules::ServiceName service) {
  Question question;
  question.asks = Asks::schema;
  question.service = std::move(service);
  RunnerReply reply = co_await runner.ask(std::move(question), look_limit, RunnerClient::Started());
  SchemaRead read;
  if (reply.says == Says::done)
    read.schema = std::move(reply.text);
  else
    read.trouble = "what=" + log_value(reply.why);
  co_return read;
}

asio::awaitable<rules::ReadinessRead> plans_ready_there(RunnerClient& runner, rules::ServiceName service) {
  Question question;
  question.asks = Asks::plan_ready;
  question.service = std::move(service);
  RunnerReply reply = co_await runner.ask(std::move(question), look_limit, RunnerClient::Started());
  rules::ReadinessRead read;
  if (reply.says == Says::done && reply.readiness)
    read = *std::move(reply.readiness);
  else
    read.reason = std::move(reply.why);
  co_return read;
}

asio::awaitable<std::string> why_plan_cannot_run_there(RunnerClient& runner, rules::ServiceName service,
                                                       rules::ActionName action) {
  Question question;
  question.asks = Asks::plan_ready;
  question.service = std::move(service);
  question.action = std::move(action);
  RunnerReply reply = co_await runner.ask(std::move(question), look_limit, RunnerClient::Started());
  if (reply.says == Says::done && reply.readiness) co_return std::move(reply.readiness->reason);
  co_return std::move(reply.why);
}

std::shared_ptr<RunnerClient> runner_of(const Config& config) {
  if (config.watcher.runner.empty()) return nullptr;
  return std::make_shared<RunnerClient>(config.watcher.runner, config.hash);
}

}  // namespace watcher
