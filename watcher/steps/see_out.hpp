#pragma once

#include <boost/asio/awaitable.hpp>

#include "probes/clock.hpp"
#include "rules/engine/events.hpp"
#include "watcher/journal/at_work.hpp"

namespace watcher {

namespace asio = boost::asio;

// Waits until what a killed watcher left at work has ended. At its time limit, counted from when it began, or when the
// waiting is cancelled, it is ended as a step that took too long: TERM, `grace`, KILL to its group. What it exited with
// nobody can tell: the result is `interrupted`, with what became of it. `clock` must outlive it.
asio::awaitable<rules::StepResult> see_out(AtWork at_work, const probes::Clock& clock, rules::Duration grace);

}  // namespace watcher
