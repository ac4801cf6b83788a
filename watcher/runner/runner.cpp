#include "watcher/runner/runner.hpp"

#include <algorithm>
#include <utility>

#include "probes/net/result.hpp"
#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/read_schema.hpp"
#include "watcher/run/log.hpp"
#include "watcher/run/plan_commands.hpp"
#include "watcher/runner/account.hpp"
#include "watcher/steps/redact.hpp"

// What the runner is asked of services: looks that change nothing.

namespace watcher {

namespace {

using probes::as_result;

constexpr std::size_t looks_waiting_max = 8;  // of one service: a watcher asks one at a time, people a few more
constexpr rules::Duration write_limit = std::chrono::seconds(10);

RunnerReply refused(std::string why) {
  RunnerReply reply;
  reply.says = Says::refused;
  reply.why = std::move(why);
  return reply;
}

const rules::ActionSpec* action_of(const Config& config, const rules::ActionName& name) {
  for (const rules::ActionSpec& action : config.core.actions) {
    if (action.name == name) return &action;
  }
  return nullptr;
}

// Of what is asked of nobody but files: only those that the configuration runs later.
std::vector<std::string> known_files(const Config& config, const DriverSection& section,
                                     const std::vector<std::string>& asked) {
  std::vector<const rules::ActionSpec*> all;
  for (const rules::ActionSpec& action : config.core.actions) all.push_back(&action);
  const std::vector<LaterFile> later = files_run_there(all, section, dir_of(section, config));
  std::vector<std::string> out;
  for (const std::string& file : asked) {
    if (std::any_of(later.begin(), later.end(), [&](const LaterFile& one) { return one.path == file; }))
      out.push_back(file);
  }
  return out;
}

// What the plans lack that the service's rules respond with, and those that only a person begins; or of one action.
rules::ReadinessRead plans_of(const Config& config, const DriverSection& section, const rules::ActionName& name) {
  rules::ReadinessRead read;
  const std::string& dir = dir_of(section, config);
  const rules::ActionSpec* const action = action_of(config, name);
  if (name.empty()) {
    read.reason = why_plans_cannot_run(responses_of(config)[section.service], dir);
    read.by_hand = why_plans_cannot_run(begun_by_hand(config), dir);
  } else if (action != nullptr) {
    read.reason = why_plans_cannot_run({action}, dir);
  }
  // A bare switch is in no configuration, and has nothing that could be missing.
  read.ready = read.reason.empty();
  return read;
}

void take_out_secrets(RunnerReply& reply, std::vector<std::string> secrets, const Driver& driver) {
  const std::vector<std::string> known = driver.secrets();
  secrets.insert(secrets.end(), known.begin(), known.end());
  if (reply.read) {
    rules::Event read = *std::move(reply.read);
    redact(read, secrets);
    reply.read = std::get<rules::RevisionRead>(std::move(read));
  }
  if (reply.readiness) {
    redact(reply.readiness->reason, secrets);
    redact(reply.readiness->by_hand, secrets);
  }
  if (reply.means) redact(reply.means->why_none, secrets);
  for (std::string& line : reply.lines) redact(line, secrets);
  redact(reply.text, secrets);
  redact(reply.why, secrets);
}

}  // namespace

asio::awaitable<bool> OneByOne::enter() {
  if (!std::exchange(is_taken_, true)) co_return true;
  if (waiting_.size() >= looks_waiting_max) co_return false;
  const auto executor = co_await asio::this_coro::executor;
  const auto place = waiting_.emplace(waiting_.end(), executor, asio::steady_timer::time_point::max());
  co_await place->async_wait(as_result);
  waiting_.erase(place);
  co_return true;
}

// Whoever is woken has it: it stays taken.
void OneByOne::leave() {
  if (waiting_.empty()) {
    is_taken_ = false;
  } else {
    waiting_.front().cancel();
  }
}

Runner::Runner(const asio::any_io_executor& executor, const probes::Clock& clock, std::shared_ptr<const Config> config)
    : executor_(executor),
      clock_(clock),
      dir_(config->watcher.runner_dir),
      group_(account_named(config->watcher.runner_user).value_or(Account()).group),
      kept_(dir_ + "/steps"),
      tasks_(executor) {
  equip(std::move(config));
}

Runner::~Runner() = default;

void Runner::equip(std::shared_ptr<const Config> config) {
  auto tools = std::make_shared<Tools>();
  for (const DriverSection& section : config->drivers) {
    Service& service = tools->services[section.service];
    service.section = &section;
    service.driver = make_driver(section, dir_, clock_);
  }
  tools->config = std::move(config);
  // They have the performer, which goes with them.
  Performer::Services services;
  services.driver = [of = tools.get()](const rules::ServiceName& service) {
    const auto found = of->services.find(service);
    return found == of->services.end() ? nullptr : found->second.driver.get();
  };
  services.dir = [of = tools.get()](const rules::ServiceName& service) {
    const auto found = of->services.find(service);
    return found == of->services.end() ? std::string() : dir_of(*found->second.section, *of->config);
  };
  tools->performer =
      std::make_unique<Performer>(dir_ + "/incidents", resolver_, std::move(services), tools->config->secrets);
  tools_ = std::move(tools);
}

RunnerReply Runner::reload() {
  Loaded loaded = load_config(tools_->config->path);
  if (!loaded.config) {
    const std::string first = loaded.findings.empty() ? "" : format_finding(tools_->config->path, loaded.findings[0]);
    log_error("reload", "refused=" + log_value(first));
    return refused("the runner goes on with the configuration of before: " + first);
  }
  const WatcherSection& now = tools_->config->watcher;
  const WatcherSection& then = loaded.config->watcher;
  const bool needs_restart =
      now.runner != then.runner || now.runner_user != then.runner_user || now.runner_dir != then.runner_dir;
  if (needs_restart) return refused("the runner's own keys have changed; do systemctl restart rollbackd-runner");
  equip(std::make_shared<const Config>(std::move(*loaded.config)));
  log_info("reload", "file=" + log_value(tools_->config->path));
  RunnerReply reply;
  reply.text = tools_->config->hash;
  return reply;
}

asio::awaitable<void> Runner::look_at(Question& question, Driver& driver, RunnerReply& reply) {
  if (question.patient) driver.be_patient();
  if (question.asks == Asks::identify) {
    reply.read = co_await driver.identify();
    reply.text = driver.aftermath();
  } else if (question.asks == Asks::ready) {
    reply.readiness = co_await driver.ready(std::move(question.to));
  } else {
    reply.readiness = co_await driver.still_ready(std::move(question.to));
  }
}

asio::awaitable<void> Runner::look_into(Question& question, const Tools& tools, Service& service, RunnerReply& reply) {
  Driver& driver = *service.driver;
  const rules::Revision to = question.to.value_or(rules::Revision());
  if (question.asks == Asks::meaning_of) {
    reply.means = co_await driver.meaning_of(std::move(question.name));
  } else if (question.asks == Asks::taken_back) {
    constexpr std::size_t lines_max = 1000;
    const std::size_t most = std::min<std::size_t>(question.most, lines_max);
    reply.lines = co_await driver.taken_back(std::move(question.from), to, most);
  } else if (question.asks == Asks::taken_away) {
    std::vector<std::string> files = known_files(*tools.config, *service.section, question.files);
    reply.lines = co_await driver.taken_away(to, std::move(files));
  } else if (question.asks == Asks::alike) {
    const std::vector<rules::Revision> known = std::move(question.known);
    Driver::Known ask_known = [&reply, &known] {
      reply.asks_for_known = known.empty();
      return known;
    };
    reply.groups = co_await driver.alike(std::move(ask_known), std::move(question.named));
  } else if (question.asks == Asks::advice) {
    reply.lines = co_await driver.advice();
  } else if (question.asks == Asks::schema) {
    const DriverSection& section = *service.section;
    const SchemaRead read = co_await read_schema(section.schema, section.dir, whom_of(section));
    reply.text = read.schema;
    if (!read.trouble.empty()) reply = refused(read.trouble);
  }
}

asio::awaitable<RunnerReply> Runner::look(Question question, std::shared_ptr<Tools> tools, Service& service) {
  RunnerReply reply;
  if (question.asks == Asks::plan_ready) {
    reply.readiness = plans_of(*tools->config, *service.section, question.action);
    redact(reply.readiness->reason, tools->config->secrets);
    redact(reply.readiness->by_hand, tools->config->secrets);
    co_return reply;
  }
  if (service.driver == nullptr) co_return refused("service " + question.service.text + " has no driver");
  const bool is_about_now =
      question.asks == Asks::identify || question.asks == Asks::ready || question.asks == Asks::still_ready;
  if (is_about_now)
    co_await look_at(question, *service.driver, reply);
  else
    co_await look_into(question, *tools, service, reply);
  take_out_secrets(reply, tools->config->secrets, *service.driver);
  co_return reply;
}

asio::awaitable<void> Runner::look_in_turn(Question question, Lines& lines) {
  const std::shared_ptr<Tools> tools = tools_;
  const auto found = tools->services.find(question.service);
  RunnerReply reply = refused("the runner's configuration has no service " + question.service.text);
  if (found != tools->services.end()) {
    Service& service = found->second;
    const bool has_turn = co_await service.turn.enter();
    if (!has_turn) reply = refused("too many questions about service " + question.service.text + " at once");
    if (has_turn) {
      reply = co_await look(std::move(question), tools, service);
      service.turn.leave();
    }
  }
  std::string line = line_of(reply);
  co_await lines.write(std::move(line), write_limit);
}

asio::awaitable<void> Runner::answer(Question question, Lines& lines) {
  RunnerReply reply;
  const std::string malformed = why_malformed(question);
  const bool is_of_file =
      question.asks != Asks::result && question.asks != Asks::cancel && question.asks != Asks::reload;
  if (question.version != wire_version) {
    reply.says = Says::other_version;
  } else if (!malformed.empty()) {
    reply = refused("the runner refuses: " + malformed);
  } else if (is_of_file && question.config != tools_->config->hash) {
    reply.says = Says::other_config;
    reply.why = "the runner has read another " + tools_->config->path +
                " than the watcher; do rollbackd reload, or systemctl restart rollbackd-runner";
  } else if (question.asks == Asks::reload) {
    reply = reload();
  } else if (question.asks == Asks::cancel) {
    const auto step = steps_.find(question.step);
    if (step != steps_.end()) step->second->cancel.emit(asio::cancellation_type::terminal);
  } else if (question.asks == Asks::perform) {
    co_return co_await perform(std::move(question), lines);
  } else if (question.asks == Asks::result) {
    co_return co_await tell_result(std::move(question), lines);
  } else {
    co_return co_await look_in_turn(std::move(question), lines);
  }
  std::string line = line_of(reply);
  co_await lines.write(std::move(line), write_limit);
}

}  // namespace watcher
