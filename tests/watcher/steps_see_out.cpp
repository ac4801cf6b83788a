#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <optional>

#include "at_work_support.hpp"
#include "watcher/steps/see_out.hpp"

namespace {

using at_work_support::at_work_of;
using at_work_support::Orphan;
using rules::StepResult;

// What is at work was begun at 0.
class FixedClock final : public probes::Clock {
 public:
  explicit FixedClock(rules::Instant now) : now_(now) {}
  rules::Instant now() const override { return now_; }

 private:
  rules::Instant now_;
};

struct Seeing {
  explicit Seeing(watcher::AtWork at_work, double now_s = 0, rules::Duration grace = std::chrono::seconds(10))
      : clock(journal_support::at(now_s)) {
    auto done = [this](const std::exception_ptr& error, StepResult ended) {
      REQUIRE_FALSE(error);
      result = std::move(ended);
    };
    auto token = boost::asio::bind_cancellation_slot(cancel.slot(), std::move(done));
    boost::asio::co_spawn(io, watcher::see_out(std::move(at_work), clock, grace), std::move(token));
  }
  const StepResult& to_the_end() {
    io.run();
    REQUIRE(result);
    CHECK(result->status == rules::StepStatus::interrupted);
    return *result;
  }
  void a_while() { io.run_for(std::chrono::milliseconds(300)); }

  FixedClock clock;
  boost::asio::io_context io;
  boost::asio::cancellation_signal cancel;
  std::optional<StepResult> result;
};

}  // namespace

TEST_CASE("what a killed watcher left at work is waited for until it ends by itself") {
  Orphan orphan;
  Seeing seeing(at_work_of(orphan.pid()));
  seeing.a_while();
  CHECK_FALSE(seeing.result);
  orphan.end();
  CHECK(seeing.to_the_end().detail == "it ended by itself");
}

TEST_CASE("another process that has got its number is neither waited for nor ended") {
  const Orphan stranger;
  watcher::AtWork at_work = at_work_of(stranger.pid());
  ++at_work.process.started;
  Seeing seeing(at_work, 5000);
  CHECK(seeing.to_the_end().detail == "it ended by itself");
  CHECK(probes::is_running(at_work_of(stranger.pid()).process));
}

TEST_CASE("what was left at work and takes longer than its step may is ended by TERM") {
  Orphan orphan;
  Seeing seeing(at_work_of(orphan.pid()), 1000);
  CHECK(seeing.to_the_end().detail == "it took longer than 16m40s and was ended");
  CHECK(orphan.how_it_ended() == SIGTERM);
}

TEST_CASE("the time that it may take is counted from when it began") {
  Orphan orphan;
  Seeing seeing(at_work_of(orphan.pid()), 999.8);
  CHECK(seeing.to_the_end().detail == "it took longer than 16m40s and was ended");
}

TEST_CASE("a wall clock that was set back gives it no more time than its step has") {
  Orphan orphan;
  watcher::AtWork at_work = at_work_of(orphan.pid());
  at_work.limit = std::chrono::milliseconds(200);
  Seeing seeing(at_work, -86400);
  CHECK(seeing.to_the_end().detail == "it took longer than 200ms and was ended");
}

TEST_CASE("what does not heed TERM is ended by KILL") {
  const journal_support::Folder folder;
  const std::string ready = folder.path + "/ready";
  Orphan orphan({"/bin/sh", "-c", "trap '' TERM; touch " + ready + "; while :; do sleep 0.1; done"});
  while (!std::filesystem::exists(ready)) ::usleep(1000);
  Seeing seeing(at_work_of(orphan.pid()), 1000, std::chrono::milliseconds(200));
  CHECK(seeing.to_the_end().detail == "it took longer than 16m40s and was ended");
  CHECK(orphan.how_it_ended() == SIGKILL);
}

TEST_CASE("calling the step off ends what was left of it at work") {
  Orphan orphan;
  Seeing seeing(at_work_of(orphan.pid()));
  seeing.a_while();
  seeing.cancel.emit(boost::asio::cancellation_type::terminal);
  CHECK(seeing.to_the_end().detail == "it was called off and was ended");
  CHECK(orphan.how_it_ended() == SIGTERM);
}
