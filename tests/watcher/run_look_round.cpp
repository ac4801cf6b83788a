#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "probes/net/task_group.hpp"
#include "watcher/run/look_round.hpp"

namespace {

namespace asio = boost::asio;

// Counts what it is asked.
class CountedDriver final : public watcher::Driver {
 public:
  asio::awaitable<rules::RevisionRead> identify() override {
    ++looks;
    co_return rules::RevisionRead{};
  }
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision>) override {
    co_return rules::ReadinessRead{};
  }
  asio::awaitable<rules::StepResult> switch_to(watcher::SwitchRequest) override { co_return rules::StepResult{}; }
  std::string aftermath() const override { return ""; }

  int looks = 0;
};

// So many services of which no command says what runs, in one round whose next look is an hour away.
struct Round {
  explicit Round(std::size_t services) : drivers(services) {
    watcher::DriverSection section;
    section.driver = watcher::CommandDriver();
    for (CountedDriver& driver : drivers) {
      auto deliver = [this](const rules::Event& event) {
        if (std::holds_alternative<rules::ReadinessRead>(event)) looked(++looks);
      };
      readers.push_back(std::make_unique<watcher::ServiceReader>(driver, section, std::move(deliver)));
      CHECK(readers.back()->asks_nobody());
      round.add(*readers.back());
    }
  }
  void run() {
    tasks.spawn("round", round.loop());
    io.run_for(std::chrono::seconds(30));
    CHECK(tasks.size() == 0);
  }

  asio::io_context io;
  probes::TaskGroup tasks{io.get_executor()};
  std::size_t looks = 0;
  std::function<void(std::size_t)> looked;  // so many of them
  std::vector<CountedDriver> drivers;
  std::vector<std::unique_ptr<watcher::ServiceReader>> readers;
  watcher::LookRound round{io.get_executor(), std::chrono::hours(1)};
};

}  // namespace

TEST_CASE("all readers of a round look at once, and then only the one that is asked to") {
  Round round(3);
  round.looked = [&](std::size_t looks) {
    if (looks == 3) asio::post(round.io, [&] { round.readers[1]->read_now(); });
    if (looks == 4) round.tasks.cancel();
  };
  round.run();
  CHECK(round.drivers[0].looks == 1);
  CHECK(round.drivers[1].looks == 2);
  CHECK(round.drivers[2].looks == 1);
}

TEST_CASE("a reader of a round that is asked while another one looks, looks again") {
  Round round(2);
  round.looked = [&](std::size_t looks) {
    if (looks == 2) round.readers[0]->read_until_agreed();
    if (looks == 4) round.tasks.cancel();
  };
  round.run();
  CHECK(round.drivers[0].looks == 3);
  CHECK(round.drivers[1].looks == 1);
}

TEST_CASE("a round of many readers lets others have their turn") {
  Round round(100);
  std::size_t looks_before_others = 0;
  round.looked = [&](std::size_t looks) {
    if (looks == 1) asio::post(round.io, [&] { looks_before_others = round.looks; });
    if (looks == 100) round.tasks.cancel();
  };
  round.run();
  CHECK(looks_before_others > 0);
  CHECK(looks_before_others < 20);
}

TEST_CASE("a service whose readiness a command says has a coroutine of its own to wait for it") {
  CountedDriver driver;
  watcher::DriverSection section;
  watcher::CommandDriver command;
  command.ready = {"/bin/true"};
  section.driver = command;
  CHECK_FALSE(watcher::ServiceReader(driver, section, {}).asks_nobody());
  section.driver = watcher::GitDriver();
  CHECK_FALSE(watcher::ServiceReader(driver, section, {}).asks_nobody());
  section.driver = watcher::CommandDriver();
  watcher::ServiceReader::Plans plans;
  plans.plans_there = []() -> asio::awaitable<rules::ReadinessRead> { co_return rules::ReadinessRead{}; };
  CHECK_FALSE(watcher::ServiceReader(driver, section, {}, std::move(plans)).asks_nobody());
}
