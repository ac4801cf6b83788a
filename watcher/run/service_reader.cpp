#include "watcher/run/service_reader.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "probes/net/cancelled.hpp"
#include "watcher/drivers/asks_nobody.hpp"
#include "watcher/run/log.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// Readiness costs a few commands: not with every look, but often enough that what is lost is told within 30 s.
constexpr rules::Duration readiness_interval = std::chrono::seconds(20);
constexpr int looks_per_readiness_max = 6;
constexpr int looks_that_agree = 2;

}  // namespace

ServiceReader::ServiceReader(Driver& driver, const DriverSection& section, Deliver deliver, Plans plans)
    : driver_(driver),
      identifies_(identifies(section.driver)),
      interval_(identifies_ ? section.identify_interval
                            : std::min(readiness_interval, section.identify_interval * looks_per_readiness_max)),
      asks_nobody_(watcher::asks_nobody(section)),
      deliver_(std::move(deliver)),
      plans_(std::move(plans)) {
  if (!section.schema.empty()) schema_.reset(new Schema{section.schema, section.dir, whom_of(section)});
}

// A runner is asked over a connection.
bool ServiceReader::asks_nobody() const { return asks_nobody_ && !identifies_ && !plans_.plans_there; }

void ServiceReader::wake() {
  if (waits_ != nullptr) waits_->cancel();
}

void ServiceReader::read_now() {
  looks_asked_ = std::max(looks_asked_, 1);
  driver_.be_patient();
  wake();
}

void ServiceReader::read_until_agreed() {
  looks_asked_ = looks_that_agree;
  driver_.be_patient();
  wake();
}

asio::awaitable<void> ServiceReader::wait() {
  if (looks_asked_ > 0) co_return;
  waits_->expires_after(interval_);
  co_await waits_->async_wait(as_result);
}

// It is asked again at every look; transitions are told, not repetitions.
void ServiceReader::warn_of_schema(std::string why) {
  if (why == schema_->warned) return;
  log_warning("schema", why);
  schema_->warned = std::move(why);
}

// Asked at each look: a release is often checked out before it migrates, and nobody says when that is done.
asio::awaitable<std::string> ServiceReader::schema() {
  SchemaRead read;
  if (plans_.schema)
    read = co_await plans_.schema();
  else
    read = co_await read_schema(schema_->command, schema_->dir, schema_->whom);
  if (read.trouble.empty())
    schema_->warned.clear();
  else
    warn_of_schema(std::move(read.trouble));
  co_return std::move(read.schema);
}

asio::awaitable<rules::ReadinessRead> ServiceReader::readiness() {
  rules::Revision to;
  if (plans_.target) to = plans_.target();
  std::optional<rules::Revision> known;
  if (!to.empty()) known = to;
  rules::ReadinessRead read = co_await driver_.still_ready(known);
  if (read.ready && plans_.why_not) read.reason = plans_.why_not();
  if (plans_.why_not_by_hand) read.by_hand = plans_.why_not_by_hand();
  if (plans_.plans_there) {
    rules::ReadinessRead there = co_await plans_.plans_there();
    read.by_hand = std::move(there.by_hand);
    if (read.ready && read.reason.empty()) read.reason = std::move(there.reason);
  }
  read.names = co_await names_now(driver_, plans_.names);
  std::vector<rules::Revision> named;
  for (const rules::NamedRevision& one : read.names) named.push_back(one.revision);
  Driver::Known known_revisions = plans_.known;
  if (known_revisions) read.alike = co_await driver_.alike(std::move(known_revisions), std::move(named));
  if (read.reason.empty()) read.reason = why_no_name(plans_.names, read.names);
  if (read.reason.empty() && !to.empty()) read.reason = co_await why_not_there(driver_, plans_.run_there, to);
  read.ready = read.ready && read.reason.empty();
  co_return read;
}

asio::awaitable<void> ServiceReader::look(bool also_at_readiness) {
  looks_asked_ = std::max(looks_asked_ - 1, 0);
  rules::RevisionRead read = co_await driver_.identify();
  // A look that was cut short says nothing about the service.
  const bool cut_short = co_await probes::cancelled();
  if (cut_short) co_return;
  const bool is_asked = read.revision && schema_ != nullptr;
  const bool is_known = is_asked && plans_.has_schema && plans_.has_schema(*read.revision);
  if (is_asked && !is_known) read.schema = co_await schema();
  deliver_(std::move(read));
  if (!also_at_readiness) co_return;
  rules::ReadinessRead ready = co_await readiness();
  deliver_(std::move(ready));
}

// What a look needs ends with it: most services wait most of the time.
asio::awaitable<void> ServiceReader::loop() {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  wake_by(&timer);
  const auto looks = readiness_interval / std::max(interval_, rules::Duration(1));
  const auto looks_max = identifies_ ? looks_per_readiness_max : 1;
  const auto looks_per_readiness = std::clamp<decltype(looks)>(looks, 1, looks_max);
  for (int count = 0;; ++count) {
    const bool also_at_readiness = count % looks_per_readiness == 0;
    co_await look(also_at_readiness);
    // Both: the driver may have swallowed it, and it may have come while waiting.
    const bool ended_in_look = co_await probes::cancelled();
    if (ended_in_look) break;
    co_await wait();
    const bool ended_in_wait = co_await probes::cancelled();
    if (ended_in_wait) break;
  }
  wake_by(nullptr);
}

}  // namespace watcher
