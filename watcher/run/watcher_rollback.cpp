#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "watcher/run/log.hpp"
#include "watcher/run/watcher.hpp"
#include "watcher/steps/redact.hpp"

// The one rollback by hand of a process that is the watcher for as long as it takes.

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

// What was deployed while nobody watched has to be known first, or it would not be what is rolled back: as many looks
// as have to agree.
asio::awaitable<void> Watcher::look_at_what_runs(rules::ServiceName service) {
  constexpr int looks_that_agree = 2;
  const std::shared_ptr<Driver> driver = equipment_->driver_of(service);  // shared: a reload exchanges it
  if (!driver) co_return;
  for (int look = 0; look < looks_that_agree; ++look) {
    rules::Event read = co_await driver->identify();
    redact(read, config_->secrets);
    loop_.observe(std::move(read));
  }
  loop_.decide_now();
  co_await loop_.settled();
}

// A rollback by hand that was stopped before its end, and is what is asked for again.
std::optional<rules::IncidentId> Watcher::left_half_done(const rules::RollbackByHand& wish) const {
  const rules::EngineView now_view = view();
  for (const rules::IncidentRecord& open : now_view.open_incidents) {
    const bool is_same_plan = !wish.action || (!open.ladder.empty() && open.ladder.front() == *wish.action);
    const bool is_same = open.service == wish.service && is_same_plan && (!wish.to || *wish.to == open.to);
    if (open.by_hand && is_same) return open.id;
  }
  return std::nullopt;
}

asio::awaitable<rules::Answer> Watcher::begin_rollback() {
  rules::Answer answer;
  rules::Request wish = *options_.rollback;
  answer.text = co_await understand(wish);
  if (!answer.text.empty()) co_return answer;
  if (const std::optional<rules::IncidentId> left = left_half_done(std::get<rules::RollbackByHand>(wish))) {
    answer.accepted = true;
    answer.text = "incident " + left->text + " goes on";
    answer.incident = *left;
    co_return answer;
  }
  co_return co_await request(std::move(wish));
}

// Nobody cancels this where it asks a command what runs: it looks itself whether all is to stop.
asio::awaitable<void> Watcher::roll_back_once() {
  exit_code_ = 1;
  co_await look_at_what_runs(options_.rollback->service);
  if (stopping_) co_return;
  const rules::Answer answer = co_await begin_rollback();
  log_info("rollback", "answer=" + log_value(answer.text));
  if (options_.answered) options_.answered(answer);
  rolled_back_ = answer.incident;
  asio::steady_timer timer(io_);
  bool is_over = !answer.accepted;
  while (!is_over && !stopping_) {
    timer.expires_after(rollback_look_interval);
    // Nobody answers on the socket: what a deploy script says is left for a watcher's start, and may be waited for
    // here.
    co_await take_up_spool();
    is_over = co_await look_at_rollback();
    if (!is_over) co_await timer.async_wait(as_result);
  }
  if (is_over) end();
}

// Whether it has ended, or was not begun.
asio::awaitable<bool> Watcher::look_at_rollback() {
  if (!options_.rollback || rolled_back_.empty()) co_return true;
  std::optional<rules::IncidentRecord> record = co_await incident(rolled_back_);
  const std::vector<rules::StepRecord> done = co_await steps(rolled_back_);
  if (!record) co_return false;
  if (options_.looked) options_.looked(*record, done, progress_in(view(), rolled_back_));
  if (record->closed && record->outcome == rules::Outcome::recovered) exit_code_ = 0;
  co_return record->closed.has_value();
}

}  // namespace watcher
