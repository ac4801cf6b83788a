#include "watcher/run/look_at_plan.hpp"

#include <optional>

namespace watcher {

asio::awaitable<void> look_at_plan(RollbackPlan& plan, Driver& driver) {
  const rules::PlanByHand& what = plan.what;
  plan.taken_back = co_await driver.taken_back(what.from, what.to, commits_shown);
  if (!what.action.switches()) co_return;
  const std::optional<rules::Revision> to = what.to.empty() ? std::nullopt : std::optional(what.to);
  // What it asks for depends on which driver it goes by.
  rules::ReadinessRead now_so = co_await driver.ready(to);
  plan.drivers = std::move(now_so.drivers);
  plan.asks_for = driver.asks_for(what.from, what.to);
  if (plan.not_ready.empty() && !now_so.ready) plan.not_ready = now_so.reason;
}

}  // namespace watcher
