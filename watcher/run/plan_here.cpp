#include "watcher/run/plan_here.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "rules/engine/engine.hpp"
#include "watcher/clock.hpp"
#include "watcher/drivers/own_container.hpp"
#include "watcher/journal/journal.hpp"
#include "watcher/run/backup_users.hpp"
#include "watcher/run/hidden_words.hpp"
#include "watcher/run/look_at_plan.hpp"
#include "watcher/run/names.hpp"
#include "watcher/run/plan_commands.hpp"
#include "watcher/run/spool.hpp"
#include "watcher/runner/remote_driver.hpp"
#include "watcher/serve/plan_json.hpp"
#include "watcher/serve/problem.hpp"

namespace watcher {

namespace {

// One look sees another revision, the second has to agree.
constexpr int looks_that_agree = 2;

rules::CoreConfig core_of(const Config& config) {
  rules::CoreConfig core = config.core;
  mark_backup_users(core, config);
  hide_secrets(core, config);
  return core;
}

std::unique_ptr<Driver> driver_of(const Config& config, const rules::ServiceName& service, const probes::Clock& clock) {
  for (const DriverSection& section : config.drivers) {
    if (section.service == service) return driver_here(config, section, clock, runner_of(config));
  }
  return nullptr;
}

class Planner {
 public:
  Planner(const Config& config, std::unique_ptr<Journal> journal)
      : config_(config),
        journal_(std::move(journal)),
        engine_(core_of(config), journal_->found().durable, clock_.now()) {}

  asio::awaitable<void> plan(rules::RollbackByHand rollback, ApiReply& reply);

 private:
  asio::awaitable<void> look(rules::ServiceName service, Driver& driver);

  const Config& config_;
  std::unique_ptr<Journal> journal_;
  SystemClock clock_;
  rules::Engine engine_;
};

asio::awaitable<void> Planner::look(rules::ServiceName service, Driver& driver) {
  for (int count = 0; count < looks_that_agree; ++count) {
    rules::RevisionRead read = co_await driver.identify();
    engine_.observe(std::move(read));
  }
  rules::ReadinessRead ready;
  ready.service = service;
  ready.at = clock_.now();
  ready.names = co_await names_now(driver, names_in_plans(config_, service));
  engine_.observe(std::move(ready));
}

asio::awaitable<void> Planner::plan(rules::RollbackByHand rollback, ApiReply& reply) {
  const std::unique_ptr<Driver> driver = driver_of(config_, rollback.service, clock_);
  std::vector<std::string> unreadable;
  for (const Spooled& entry : read_spool(config_.watcher.state_dir, unreadable)) {
    if (const auto* const mark = std::get_if<rules::DeployMark>(&entry.word)) engine_.observe(*mark);
  }
  if (driver) co_await look(rollback.service, *driver);
  engine_.advance(clock_.now());
  if (rollback.to) {
    std::vector<rules::Revision> known = revisions_of(journal_->ledger(), rollback.service);
    const Meant meant = co_await meant_by(*rollback.to, driver.get(), std::move(known));
    rollback.to = meant.revision;
    if (!meant.refused.empty()) {
      reply = problem(409, meant.refused);
      co_return;
    }
  }
  RollbackPlan out;
  out.what = engine_.plan(rollback);
  if (!out.what.refused.empty()) {
    reply = problem(409, out.what.refused);
    co_return;
  }
  for (const DriverSection& section : config_.drivers) {
    if (section.service == rollback.service)
      out.not_ready = why_plans_cannot_run({&out.what.action}, dir_of(section, config_));
  }
  if (driver) co_await look_at_plan(out, *driver);
  reply.body = plan_json(out);
}

}  // namespace

ApiReply plan_here(const Config& config, rules::RollbackByHand rollback) {
  auto opened = Journal::open_read_only(config.watcher.state_dir);
  if (const auto* const fault = std::get_if<JournalFault>(&opened)) return problem(409, fault->what);
  ask_for_own_container();
  Planner planner(config, std::move(std::get<std::unique_ptr<Journal>>(opened)));
  asio::io_context io(1);
  ApiReply reply;
  std::exception_ptr failure;
  asio::co_spawn(io, planner.plan(std::move(rollback), reply),
                 [&](const std::exception_ptr& thrown) { failure = thrown; });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return reply;
}

}  // namespace watcher
