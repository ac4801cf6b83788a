#include "probes/net/deadline.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace probes {

struct Deadline::State {
  explicit State(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;
  std::function<void()> on_pass;
  rules::Duration limit{};
  bool passed = false;
  unsigned generation = 0;  // a handler of an earlier arm() that was already queued must do nothing
};

Deadline::Deadline(const asio::any_io_executor& executor) : state_(std::make_shared<State>(executor)) {}

Deadline::~Deadline() { disarm(); }

void Deadline::arm(rules::Duration limit, std::function<void()> on_pass) {
  State& state = *state_;
  state.limit = limit;
  state.passed = false;
  state.on_pass = std::move(on_pass);
  const unsigned generation = ++state.generation;
  state.timer.expires_after(std::max(limit, rules::Duration::zero()));
  state.timer.async_wait([held = state_, generation](const boost::system::error_code&) {
    if (held->generation != generation) return;
    held->passed = true;
    held->on_pass();
  });
}

void Deadline::disarm() {
  ++state_->generation;
  state_->on_pass = nullptr;
  state_->timer.cancel();
}

bool Deadline::passed() const { return state_->passed; }

rules::Duration Deadline::limit() const { return state_->limit; }

rules::Duration Deadline::left() const {
  const asio::steady_timer present(state_->timer.get_executor(), rules::Duration::zero());
  return std::max(rules::Duration(state_->timer.expiry() - present.expiry()), rules::Duration::zero());
}

}  // namespace probes
