#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "journal_support.hpp"
#include "probes/net/result.hpp"
#include "watcher/run/watcher.hpp"

namespace {

namespace asio = boost::asio;
using rules::Answer;

// A whole watcher in a folder of its own, without a network, whose service says what it runs by a file's content.
struct Life {
  journal_support::Folder folder;
  asio::io_context io;
  watcher::SystemClock clock;
  std::unique_ptr<watcher::Watcher> watcher;
  probes::TaskGroup tasks{io.get_executor()};
  std::vector<Answer> answers;
  int exit_code = -1;

  explicit Life(const std::string& more = {}) {
    std::ofstream(folder.path + "/version") << "v1\n";
    std::ofstream(folder.path + "/secret") << "hunter22\n";
    write_config("\"cat\", \"version\"");
    std::ofstream(config_path(), std::ios::app) << more;
    watcher::Loaded loaded = watcher::load_config(config_path());
    for (const watcher::Finding& finding : loaded.findings) CAPTURE(finding.what);
    REQUIRE(loaded.config.has_value());
    auto config = std::make_shared<const watcher::Config>(std::move(*loaded.config));
    watcher = std::make_unique<watcher::Watcher>(io, clock, std::move(config), watcher::RunOptions{},
                                                 journal_support::open(folder.path + "/state"));
    REQUIRE(watcher->listen().empty());
  }

  std::string config_path() const { return folder.path + "/rollbackd.toml"; }
  void write_config(const std::string& identify) const {
    std::ofstream(config_path()) << "[watcher]\nstate_dir = \"state\"\nlisten = \"off\"\ncontrol = \"control.sock\"\n"
                                 << "[service.web]\nhealth = \"http://127.0.0.1:1/\"\nrules = [\"down for 1h\"]\n"
                                 << "rollback = [\"true\", \"{to}\"]\nidentify = [" << identify << "]\n";
  }
  asio::awaitable<void> live() { exit_code = co_await watcher->live(); }
  asio::awaitable<void> reload() {
    Answer answer = co_await watcher->reload();
    answers.push_back(std::move(answer));
  }
  asio::awaitable<void> stop_soon() {
    while (answers.size() < 2) {
      asio::steady_timer timer(io, std::chrono::milliseconds(1));
      co_await timer.async_wait(probes::as_result);
    }
    watcher->stop();
  }
  asio::awaitable<void> stop_when(std::function<bool()> holds) {
    while (!holds()) {
      asio::steady_timer timer(io, std::chrono::milliseconds(1));
      co_await timer.async_wait(probes::as_result);
    }
    watcher->stop();
  }
  asio::awaitable<void> stop_now() {
    watcher->stop();
    watcher->reload_on_signal();
    co_return;
  }
  void run() {
    const auto limit = std::chrono::seconds(60);
    io.run_for(limit);
    REQUIRE(tasks.size() == 0);
  }
};

}  // namespace

TEST_CASE("reloads at the same time happen one after the other, and the watcher goes on and stops") {
  Life life;
  life.tasks.spawn("live", life.live());
  for (int i = 0; i < 3; ++i) life.tasks.spawn("reload", life.reload());
  life.tasks.spawn("stop", life.stop_soon());
  life.run();
  REQUIRE(life.answers.size() == 3);
  CHECK(life.answers[0].accepted);
  CHECK(life.answers[1].accepted);
  CHECK(life.exit_code == 0);
}

TEST_CASE("a reload that is asked for while the watcher stops changes nothing and holds up nothing") {
  Life life;
  life.tasks.spawn("live", life.live());
  life.tasks.spawn("reload", life.reload());
  life.tasks.spawn("stop", life.stop_now());
  life.run();
  REQUIRE(life.answers.size() == 1);
  CHECK_FALSE(life.answers[0].accepted);
  CHECK(journal_support::contains(life.answers[0].text, "stopping"));
  CHECK(life.exit_code == 0);
}

TEST_CASE("SPEC 3: a secret that a probe or a driver's command repeats is told nobody") {
  Life life(
      "ready = ['sh', '-c', 'echo is hunter22 >&2; exit 1']\n"
      "[probe.e]\ntype = 'exec'\ninterval = '20ms'\nrun = ['sh', '-c', 'echo is hunter22; exit 2']\n"
      "env.PW = { file = 'secret' }\n");
  std::string fault;
  std::string reason;
  const auto told = [&] {
    const rules::EngineView view = life.watcher->view();
    for (const rules::ProbeView& probe : view.probes) {
      if (probe.probe.text == "e" && probe.last && probe.last->fault) fault = probe.last->fault->what;
    }
    reason = view.services.front().not_ready_reason;
    return !fault.empty() && journal_support::contains(reason, "exited");
  };
  life.tasks.spawn("live", life.live());
  life.tasks.spawn("stop", life.stop_when(told));
  life.run();
  CHECK(journal_support::contains(fault, "is <redacted>"));
  CHECK(journal_support::contains(reason, "is <redacted>"));
}

TEST_CASE("a control socket that is removed is said in what is degraded, and is there again some seconds later") {
  Life life;
  const std::string control = life.folder.path + "/control.sock";
  std::filesystem::remove(control);
  std::string said;
  life.tasks.spawn("live", life.live());
  life.tasks.spawn("stop", life.stop_when([&] {
    for (const std::string& reason : life.watcher->view().degraded) said = reason;
    return std::filesystem::exists(control);
  }));
  life.run();
  CHECK(journal_support::contains(said, "no command reaches us; it is made anew"));
}
