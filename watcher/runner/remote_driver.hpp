#pragma once

#include <memory>

#include "watcher/config/config.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/read_schema.hpp"
#include "watcher/runner/runner_client.hpp"

namespace watcher {

// Whether the runner has the service's driver. One that needs no rights (http) stays where its targets are asked.
bool is_at_runner(const Config& config, const DriverSection& section);

// The driver of a service as the watcher has it: its own, or that of the runner behind `client`, which is nullptr where
// none is configured. nullptr for a service without one. `clock` must outlive it.
std::unique_ptr<Driver> driver_here(const Config& config, const DriverSection& section, const probes::Clock& clock,
                                    std::shared_ptr<RunnerClient> client);

// What the service's `schema` command prints there.
asio::awaitable<SchemaRead> read_schema_there(RunnerClient& runner, rules::ServiceName service);
// Why the plans of the service could not be run there: `reason`, and `by_hand` of those that a person begins.
asio::awaitable<rules::ReadinessRead> plans_ready_there(RunnerClient& runner, rules::ServiceName service);
// Why the action could not be begun there, for people; empty: it could.
asio::awaitable<std::string> why_plan_cannot_run_there(RunnerClient& runner, rules::ServiceName service,
                                                       rules::ActionName action);

// nullptr: there is no runner in the configuration.
std::shared_ptr<RunnerClient> runner_of(const Config& config);

}  // namespace watcher
