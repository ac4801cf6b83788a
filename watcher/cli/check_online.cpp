#include "watcher/cli/check_online.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string_view>

#include "probes/ask/app_memory.hpp"
#include "probes/net/resolver.hpp"
#include "probes/probe.hpp"
#include "watcher/clock.hpp"
#include "watcher/config/health.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/own_container.hpp"
#include "watcher/drivers/shell_commands.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/drivers/trusted_path.hpp"
#include "watcher/journal/journal.hpp"
#include "watcher/journal/lock_place.hpp"
#include "watcher/run/names.hpp"
#include "watcher/run/plan_commands.hpp"
#include "watcher/runner/remote_driver.hpp"
#include "watcher/serve/doors.hpp"
#include "watcher/steps/redact.hpp"

namespace watcher {

namespace {

using Kind = OnlineFinding::Kind;

// What the coroutines below share; outlives them because run() returns only when they have ended.
struct Looking {
  const Config& config;
  std::shared_ptr<RunnerClient> runner;  // with the drivers; nullptr: there is none
  std::vector<rules::Poll> polls;
  std::vector<OnlineFinding> findings;
};

asio::awaitable<void> poll_once(Looking& looking, probes::Probe& probe) {
  rules::Poll poll = co_await probe.poll();
  looking.polls.push_back(std::move(poll));
}

void note_identity(Looking& looking, const std::string& subject, const rules::RevisionRead& read) {
  if (read.revision) {
    looking.findings.push_back({Kind::fine, subject, "runs " + read.revision->text});
  } else {
    const std::string why = read.error.empty() ? "the driver did not say why" : read.error;
    looking.findings.push_back({Kind::wrong, subject, "what runs cannot be read: " + why});
  }
}

void note_readiness(Looking& looking, const std::string& subject, const rules::ReadinessRead& read) {
  if (read.ready)
    looking.findings.push_back({Kind::fine, subject, "could be switched now"});
  else
    looking.findings.push_back({Kind::wrong, subject, "could not be switched now: " + read.reason});
}

// Of several drivers: which one it would be, and what is wrong with the others.
void note_drivers(Looking& looking, const std::string& subject, const rules::ReadinessRead& read) {
  bool goes = false;
  for (const rules::DriverReadiness& driver : read.drivers) {
    if (!driver.why_not.empty()) {
      looking.findings.push_back({Kind::advice, subject, driver.driver + " could not switch it: " + driver.why_not});
    } else {
      const std::string how = goes ? " could switch it, if none before could" : " would switch it";
      looking.findings.push_back({Kind::fine, subject, driver.driver + how});
      goes = true;
    }
  }
}

// What a rollback would go to, as far as the watcher has written it down; empty: nothing.
rules::Revision last_good(const Config& config, const rules::ServiceName& service, const rules::Revision& running) {
  auto opened = Journal::open_read_only(config.watcher.state_dir);
  auto* const journal = std::get_if<std::unique_ptr<Journal>>(&opened);
  rules::LedgerRecord newest;
  if (journal == nullptr || running.empty()) return newest.revision;
  for (rules::LedgerRecord& record : (*journal)->ledger()) {
    const bool is_target =
        record.service == service && record.standing == rules::Standing::good && record.revision != running;
    if (is_target && record.last_seen > newest.last_seen) newest = std::move(record);
  }
  return newest.revision;
}

asio::awaitable<void> ask_driver(Looking& looking, Driver& driver, const DriverSection& section,
                                 const rules::ServiceSpec& service) {
  const std::string subject = "service " + service.name.text;
  rules::Revision running;
  if (service.has_identity) {
    const rules::RevisionRead identity = co_await driver.identify();
    note_identity(looking, subject, identity);
    running = identity.revision.value_or(running);
  } else {
    looking.findings.push_back(
        {Kind::advice, subject, "has no identify: it acts at most once until `deploy mark`; add identify = [...]"});
  }
  if (!service.has_driver) co_return;
  const rules::Revision to = last_good(looking.config, service.name, running);
  std::optional<rules::Revision> known;
  if (!to.empty()) known = to;
  rules::ReadinessRead readiness = co_await driver.ready(known);
  Responses responses = responses_of(looking.config);
  const std::string& dir = dir_of(section, looking.config);
  if (readiness.ready && looking.runner == nullptr)
    readiness.reason = why_plans_cannot_run(responses[section.service], dir);
  if (readiness.ready && looking.runner != nullptr) {
    rules::ReadinessRead there = co_await plans_ready_there(*looking.runner, service.name);
    readiness.reason = std::move(there.reason);
  }
  const std::vector<PlanName> names = names_in_plans(looking.config, service.name);
  const std::vector<rules::NamedRevision> now = co_await names_now(driver, names);
  if (readiness.ready && readiness.reason.empty()) readiness.reason = why_no_name(names, now);
  if (readiness.ready && readiness.reason.empty() && !to.empty()) {
    std::vector<LaterFile> files = files_run_there(responses[section.service], section, dir);
    readiness.reason = co_await why_not_there(driver, std::move(files), to);
  }
  readiness.ready = readiness.ready && readiness.reason.empty();
  note_readiness(looking, subject, readiness);
  note_drivers(looking, subject, readiness);
  const std::vector<std::string> advice = co_await driver.advice();
  for (const std::string& line : advice) looking.findings.push_back({Kind::advice, subject, line});
}

const rules::ServiceSpec* service_of(const Config& config, const DriverSection& section) {
  for (const rules::ServiceSpec& service : config.core.services) {
    if (service.name == section.service) return &service;
  }
  return nullptr;
}

// Of what the probes measure the memory.
std::vector<OnlineFinding> whose_memory(const Config& config) {
  std::vector<OnlineFinding> out;
  for (const probes::ProbeConfig& probe : config.probes) {
    const auto* const host = std::get_if<probes::HostProbe>(&probe.what);
    if (host == nullptr || host->port == 0) continue;
    probes::AppMemory memory(*host);
    memory.found(probes::find_listener(host->proc, static_cast<std::uint16_t>(host->port)));
    const bool is_unknown = memory.look_at_group() == probes::AppMemory::Whose::unknown;
    const std::string what = memory.said() + (is_unknown ? "; does the application run, and is app_port right?" : "");
    out.push_back({is_unknown ? Kind::advice : Kind::fine, "probe " + probe.name.text, what});
  }
  return out;
}

void append(std::vector<OnlineFinding>& to, std::vector<OnlineFinding> more) {
  for (OnlineFinding& finding : more) to.push_back(std::move(finding));
}

}  // namespace

std::vector<OnlineFinding> check_online(const Config& config) {
  ask_for_own_container();
  asio::io_context loop;
  const SystemClock clock;
  probes::Resolver resolver;
  probes::MemoryBudget memory(static_cast<std::size_t>(config.watcher.memory));
  Looking looking{config, runner_of(config), {}, {}};
  std::vector<std::unique_ptr<probes::Probe>> all_probes;
  for (const probes::ProbeConfig& probe : config.probes) {
    for (auto& one : probes::make_probes(probe, {clock, resolver, make_trusted, &memory}))
      all_probes.push_back(std::move(one));
  }
  for (const auto& probe : all_probes) asio::co_spawn(loop, poll_once(looking, *probe), asio::detached);
  std::vector<std::unique_ptr<Driver>> drivers;
  for (const DriverSection& section : config.drivers) {
    std::unique_ptr<Driver> driver = driver_here(config, section, clock, looking.runner);
    const rules::ServiceSpec* const service = service_of(config, section);
    if (service != nullptr)
      looking.findings.push_back({Kind::fine, "service " + service->name.text, said_of_health(*service)});
    if (driver == nullptr || service == nullptr) continue;
    asio::co_spawn(loop, ask_driver(looking, *driver, section, *service), asio::detached);
    drivers.push_back(std::move(driver));
  }
  loop.run();
  std::vector<OnlineFinding> out = lint_polls(config, looking.polls);
  append(out, whose_memory(config));
  append(out, std::move(looking.findings));
  append(out, missing_commands(config));
  append(out, missing_beside(config));
  if (std::string why = why_no_host_lock(config.watcher.state_dir); !why.empty())
    out.push_back({Kind::wrong, "host", std::move(why)});
  if (std::string why = why_not_listen(config.watcher); !why.empty())
    out.push_back({Kind::wrong, "watcher", std::move(why)});
  if (config.core.rules.empty())
    out.push_back({Kind::advice, "rules",
                   "none judges anything: nothing is told or rolled back by itself; give the service rules = "
                   "[\"down for 30s\"]"});
  for (OnlineFinding& finding : out) redact(finding.text, config.secrets);
  return out;
}

namespace {

// Where sudo and doas look, whatever our PATH is.
bool is_for_root(const std::string& name) {
  constexpr std::array<std::string_view, 3> folders{"/usr/local/sbin/", "/usr/sbin/", "/sbin/"};
  return name.find('/') == std::string::npos &&
         std::any_of(folders.begin(), folders.end(),
                     [&](std::string_view folder) { return find_command(std::string(folder) + name).has_value(); });
}

// A relative path is left out: the script may have gone elsewhere.
std::string missing_in_script(const std::string& script) {
  std::string out;
  const bool may_be_root = script.find("sudo") != std::string::npos || script.find("doas") != std::string::npos;
  for (const std::string& name : commands_in_shell(script)) {
    const bool is_relative = name.front() != '/' && name.find('/') != std::string::npos;
    if (is_relative || find_command(name) || (may_be_root && is_for_root(name))) continue;
    out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

}  // namespace

std::vector<OnlineFinding> missing_commands(const Config& config) {
  std::vector<OnlineFinding> out;
  for (const NamedCommand& command : commands_of(config)) {
    const std::string missing = missing_in_script(script_of(command.argv));
    if (!missing.empty())
      out.push_back({Kind::advice, command.owner, "its script starts what is not there: " + missing});
    if (find_command(command.argv.front())) continue;
    out.push_back({Kind::wrong, command.owner,
                   "the command " + command.argv.front() +
                       " does not exist or may not be run; a relative one starts at the `dir` that it is run in"});
  }
  return out;
}

}  // namespace watcher
