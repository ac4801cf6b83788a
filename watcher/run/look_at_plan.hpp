#pragma once

#include <boost/asio/awaitable.hpp>

#include "watcher/drivers/driver.hpp"
#include "watcher/serve/plan_json.hpp"

namespace watcher {

// Adds to a plan what only its driver can say: the commits that it takes back, what it asks of others, and, where
// nothing else is in its way, why it could not be switched now. What was known of that is up to 20 s old, and somebody
// may be about to act on it.
asio::awaitable<void> look_at_plan(RollbackPlan& plan, Driver& driver);

}  // namespace watcher
