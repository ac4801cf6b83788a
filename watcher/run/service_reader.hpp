#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rules/engine/events.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/read_schema.hpp"
#include "watcher/run/names.hpp"
#include "watcher/run/plan_commands.hpp"

namespace watcher {

// What is looked at besides the driver; each may be empty.
struct PlansRead {
  std::function<std::string()> why_not{};          // why the plans of the service could not be begun, empty: they could
  std::function<std::string()> why_not_by_hand{};  // and those that only a person begins
  std::function<rules::Revision()> target{};       // what a rollback would switch to now; empty: nobody knows
  std::vector<LaterFile> run_there{};              // when that is checked out
  // The revision's schema is known for good, and need not be read; empty: never.
  std::function<bool(const rules::Revision&)> has_schema{};
  // Why the plans could not be run elsewhere, where their steps are done: `reason` and `by_hand`; empty: they are ours.
  std::function<asio::awaitable<rules::ReadinessRead>()> plans_there{};
  // Reads the schema in our place; empty: its command is run here.
  std::function<asio::awaitable<SchemaRead>()> schema{};
  Driver::Known known{};          // every revision that is known of the service
  std::vector<PlanName> names{};  // what the plans switch to: what they mean is asked of the driver
};

// Looks at what a service runs every 10 s, and at once when asked; now and then also whether a switch could be done.
// Where nothing says what runs, only the latter.
// One look at a time: a driver is never asked twice at once. Either loop() goes on with it, or a LookRound does.
class ServiceReader {
 public:
  using Deliver = std::function<void(rules::Event)>;
  using Plans = PlansRead;

  // `driver` must outlive it. The interval and the command that prints the schema's version come from the section.
  ServiceReader(Driver& driver, const DriverSection& section, Deliver deliver, Plans plans = {});

  // Whether a look asks nobody, neither a command nor a connection: it takes microseconds, and a round is enough.
  bool asks_nobody() const;
  rules::Duration interval() const { return interval_; }

  // A look that begins after this call, as soon as one in flight has ended.
  void read_now();
  // As many looks, one right after the other, as have to agree before another revision is believed.
  void read_until_agreed();
  // Runs until cancelled.
  asio::awaitable<void> loop();

  // For a round: who waits for the next look is woken by cancelling `waits`, which must outlive all that is asked here.
  void wake_by(asio::steady_timer* waits) { waits_ = waits; }
  bool is_asked() const { return looks_asked_ > 0; }
  asio::awaitable<void> look(bool also_at_readiness);

 private:
  // How the schema's version is read.
  struct Schema {
    std::vector<std::string> command;
    std::string dir;
    Whom whom;
    std::string warned{};  // why it could not be read, which is told once
  };
  void wake();
  asio::awaitable<void> wait();
  asio::awaitable<std::string> schema();
  void warn_of_schema(std::string why);
  asio::awaitable<rules::ReadinessRead> readiness();

  Driver& driver_;
  bool identifies_;
  rules::Duration interval_;
  bool asks_nobody_;
  std::unique_ptr<Schema> schema_;  // nullptr: there is none
  Deliver deliver_;
  Plans plans_;
  asio::steady_timer* waits_ = nullptr;  // until the next look; nullptr: nobody does
  int looks_asked_ = 0;
};

}  // namespace watcher
