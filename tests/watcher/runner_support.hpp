#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "journal_support.hpp"
#include "probes/net/result.hpp"
#include "watcher/clock.hpp"
#include "watcher/drivers/compose_identity.hpp"
#include "watcher/runner/remote_steps.hpp"
#include "watcher/runner/runner_client.hpp"
#include "watcher/runner/runner_door.hpp"

namespace runner_support {

namespace asio = boost::asio;
using watcher::Asks;
using watcher::Question;
using watcher::RunnerReply;
using watcher::Says;

// A runner with its door in a folder of its own, and a watcher's client. What is done is written to `ran`, a line each.
struct Halves {
  journal_support::Folder folder;
  asio::io_context io;
  watcher::SystemClock clock;
  std::shared_ptr<const watcher::Config> config;
  std::unique_ptr<watcher::Runner> runner;
  std::unique_ptr<watcher::RunnerDoor> door;
  std::unique_ptr<watcher::RunnerClient> client;
  probes::TaskGroup tasks{io.get_executor()};

  Halves() {
    ::setenv("ROLLBACKD_HOST_LOCK", lock().c_str(), 1);
    std::ofstream(config_path()) << text();
    std::ofstream(folder.path + "/version") << "v2\n";
    config = loaded();
    client = std::make_unique<watcher::RunnerClient>(socket(), config->hash);
    begin();
  }
  ~Halves() {
    if (door) end();
    ::unsetenv("ROLLBACKD_HOST_LOCK");
  }

  std::string lock() const { return folder.path + "/host.lock"; }
  // Whether another watcher of the host could begin something now.
  bool is_host_free() const {
    std::string holder;
    return watcher::HostLock::try_take("a test", folder.path, holder) != nullptr;
  }
  std::string socket() const { return folder.path + "/socket"; }
  std::string config_path() const { return folder.path + "/rollbackd.toml"; }
  std::string text() const {
    return "[watcher]\nstate_dir = 'state'\nlisten = 'off'\ncontrol = 'control.sock'\nrunner = 'socket'\n"
           "runner_user = 'root'\nrunner_dir = 'kept'\n"
           "[service.web]\nhealth = 'http://127.0.0.1:1/'\nrules = ['down for 1h']\n"
           "identify = ['cat', 'version']\nswitch = ['sh', '-c', 'echo switch {to} >>ran; echo {to} >version']\n"
           "[[action.rollback.step]]\nrun = ['sh', '-c', 'echo step >>ran']\n"
           "[[action.rollback.step]]\nrun = ['sh', '-c', 'echo waits >>ran; read go <go']\n"
           "[[action.rollback.step]]\nhttp = 'http://127.0.0.1:1/'\n"
           "[[action.rollback.step]]\nswitch = 'last-good'\n";
  }
  std::shared_ptr<const watcher::Config> loaded() const {
    watcher::Loaded loaded = watcher::load_config_text(text(), config_path());
    for (const watcher::Finding& finding : loaded.findings) CAPTURE(finding.what);
    REQUIRE(loaded.config.has_value());
    return std::make_shared<const watcher::Config>(*std::move(loaded.config));
  }

  void begin() {
    runner = std::make_unique<watcher::Runner>(io.get_executor(), clock, config);
    door = std::make_unique<watcher::RunnerDoor>(io.get_executor(), *runner);
    runner->start();
    REQUIRE(door->listen(socket(), "root") == "");
    tasks.spawn("door", door->serve());
  }
  void end() {
    asio::steady_timer soon(io);
    door->close();
    run_until([this] { return tasks.size() == 0 && !runner->step_in_flight(); });
    tasks.spawn("stop", runner->stop());
    run_until([this] { return tasks.size() == 0; });
    door.reset();
    runner.reset();
  }
  void run_until(const std::function<bool()>& holds) {
    const auto limit = std::chrono::seconds(30);
    const auto end = std::chrono::steady_clock::now() + limit;
    bool is_so = holds();
    while (!is_so && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(10));
      is_so = holds();
    }
    REQUIRE(is_so);
  }

  asio::awaitable<void> ask_into(Question question, std::optional<RunnerReply>& reply) {
    const rules::Duration limit = std::chrono::seconds(20);
    const watcher::RunnerClient::Started nobody;
    RunnerReply answer = co_await client->ask(std::move(question), limit, nobody);
    reply = std::move(answer);
  }
  RunnerReply ask(Question question) {
    std::optional<RunnerReply> reply;
    tasks.spawn("ask", ask_into(std::move(question), reply));
    run_until([&reply] { return reply.has_value(); });
    return *std::move(reply);
  }

  // The step of the plan, 0 for the first, as the watcher asks for it.
  Question step(std::size_t which, Asks asks = Asks::perform) const {
    Question question;
    question.asks = asks;
    question.config = config->hash;
    question.service = rules::ServiceName("web");
    question.action = rules::ActionName("rollback");
    question.plan = watcher::sha256_hex(config->core.actions.at(0).fingerprint());
    question.step.incident = rules::IncidentId("20261121-020304-web-down");
    question.step.step = which;
    question.context.service = question.service;
    question.context.incident = question.step.incident;
    question.context.from = rules::Revision("v2");
    question.context.to = rules::Revision("v1");
    return question;
  }
  std::string ran() const {
    std::ifstream file(folder.path + "/ran");
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

}  // namespace runner_support
