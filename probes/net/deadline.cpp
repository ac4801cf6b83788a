#include "probes/net/deadline.hpp"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

namespace probes {

// The armed deadlines of one context, and the timer that stands at the earliest of them or before it.
class Deadline::Queue final : public asio::execution_context::service {
 public:
  using key_type = Queue;
  static asio::execution_context::id id;

  explicit Queue(asio::execution_context& context) : service(context) {}

  static Queue& of(const asio::any_io_executor& executor) {
    Queue& queue = asio::use_service<Queue>(asio::query(executor, asio::execution::context));
    if (!queue.timer_) {
      queue.timer_.emplace(executor);
      queue.present_.emplace(executor);
    }
    return queue;
  }

  std::chrono::steady_clock::time_point now() {
    present_->expires_after(std::chrono::steady_clock::duration::zero());
    return present_->expiry();
  }

  std::set<Entry>::node_type place() {
    std::set<Entry> one;
    return one.extract(one.insert(Entry{}).first);
  }

  std::set<Entry>::iterator insert(std::set<Entry>::node_type&& place) {
    const auto at = armed_.insert(std::move(place)).position;
    if (!wakes_at_ || at->at < *wakes_at_) wake_at(at->at);
    return at;
  }

  std::set<Entry>::node_type remove(std::set<Entry>::iterator place) {
    auto removed = armed_.extract(place);
    // An earlier wake-up than needed does no harm, but one for nothing would keep the context from running dry.
    if (armed_.empty() && wakes_at_) {
      timer_->cancel();
      wakes_at_.reset();
    }
    return removed;
  }

 private:
  void shutdown() override {
    wakes_at_.reset();
    timer_.reset();
    present_.reset();
  }

  void wake_at(std::chrono::steady_clock::time_point at) {
    wakes_at_ = at;
    timer_->expires_at(at);
    timer_->async_wait([this](const boost::system::error_code& error) {
      if (!error) wake();
    });
  }

  void wake() {
    wakes_at_.reset();
    const auto present = now();
    // Whoever passes may arm, disarm and destroy deadlines.
    while (!armed_.empty() && armed_.begin()->at <= present) armed_.begin()->deadline->pass();
    if (!armed_.empty() && !wakes_at_) wake_at(armed_.begin()->at);
  }

  std::set<Entry> armed_;
  std::optional<asio::steady_timer> timer_;
  std::optional<asio::steady_timer> present_;  // reads the timers' clock
  std::optional<std::chrono::steady_clock::time_point> wakes_at_;
};

asio::execution_context::id Deadline::Queue::id;

Deadline::Deadline(const asio::any_io_executor& executor) : queue_(Queue::of(executor)), spare_(queue_.place()) {}

Deadline::~Deadline() { disarm(); }

void Deadline::arm(rules::Duration limit, std::function<void()> on_pass) {
  disarm();
  limit_ = limit;
  passed_ = false;
  on_pass_ = std::move(on_pass);
  spare_.value() = {queue_.now() + std::max(limit, rules::Duration::zero()), this};
  place_ = queue_.insert(std::move(spare_));
  armed_ = true;
}

void Deadline::disarm() {
  if (!armed_) return;
  armed_ = false;
  on_pass_ = nullptr;
  spare_ = queue_.remove(place_);
}

void Deadline::pass() {
  const auto on_pass = std::exchange(on_pass_, nullptr);
  disarm();
  passed_ = true;
  on_pass();  // may be our end
}

rules::Duration Deadline::left() const {
  if (!armed_) return rules::Duration::zero();
  return std::max(rules::Duration(place_->at - queue_.now()), rules::Duration::zero());
}

}  // namespace probes
