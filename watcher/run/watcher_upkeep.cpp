#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "probes/places.hpp"
#include "watcher/run/giving_back.hpp"
#include "watcher/run/log.hpp"
#include "watcher/run/watcher.hpp"

// What the watcher does again and again while it lives: clocks, watchdog, disk, spans and samples for the next start.

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// How often the clocks are compared and systemd's watchdog is fed.
constexpr rules::Duration tick = std::chrono::seconds(1);
// How often spans are written for the next start; what is lost at a crash is at most this much of one.
constexpr int ticks_per_span_save = 5;
constexpr int ticks_per_disk_look = 60;
// By then connections stand, what runs was looked at, and all spans were saved once.
constexpr int ticks_of_start = 12;
// Samples are written with them, and earlier where so many bytes wait: a thousand polls a second are that many.
constexpr std::size_t samples_soon = 128 * 1024;
constexpr int ticks_per_trouble_look = 5;
// What a stop asks systemd for, again and again while a step of a plan ends.
constexpr rules::Duration stop_extension = std::chrono::seconds(30);

}  // namespace

asio::awaitable<void> Watcher::record_samples() {
  if (samples_.empty()) co_return;
  const std::string text = samples_.take();
  const rules::Instant at = clock_.now();
  std::optional<std::string> problem;
  auto append = [&](Journal&) { problem = sample_files_.append(text, at); };
  std::function<void(Journal&)> work = std::ref(append);
  co_await journal_.use(std::move(work));
  if (problem && recording_) log_warning("samples", "what=" + log_value(*problem));
  recording_ = !problem;
}

// The reserve that intents are written from when the disk is full: without it people are asked instead.
asio::awaitable<void> Watcher::look_at_disk() {
  const std::optional<JournalFault> fault = co_await journal_.keep_reserve();
  const bool held = co_await journal_.reserve_held();
  const std::optional<JournalFault> unsaved = co_await journal_.alive(clock_.now());
  std::string trouble;
  if (!held) trouble = fault ? fault->what : "the disk reserve under the state directory is gone";
  if (unsaved) trouble = unsaved->what;
  const bool over = trouble.empty() && deeds_.save_failed();
  deeds_.forget_failed_save();
  if (trouble == disk_trouble_ && !over) co_return;
  disk_trouble_ = trouble;
  rules::SelfDegraded degraded;
  degraded.at = clock_.now();
  degraded.reason = trouble;
  degraded.ask_instead_of_act = !trouble.empty();
  loop_.observe(degraded);
}

// What was lost while we run is lost for a start as well: the same is said and done.
asio::awaitable<void> Watcher::look_for_damage() {
  const std::string damage = co_await journal_.take_damage();
  if (!damage.empty()) own_up_to_lost_state(damage);
}

// Told first, and made anew at the next look: somebody may be about to put it back.
void Watcher::look_at_doors() {
  std::string why = unreached_.empty() ? server_.why_not_reached() : server_.reach_again();
  if (why == unreached_) return;
  unreached_ = std::move(why);
  if (unreached_.empty()) return log_info("control", "what=\"commands reach us again\"");
  log_error("control", "what=" + log_value(unreached_));
  tell_of_ourselves("no command reaches rollbackd", unreached_, {});
}

// Nothing that is done hangs on it, but a state that is lost is not missed without it.
asio::awaitable<void> Watcher::look_at_host_copy() {
  std::string why = co_await journal_.host_copy_trouble();
  if (why == copy_trouble_) co_return;
  const bool is_news = why.empty() != copy_trouble_.empty();
  copy_trouble_ = std::move(why);
  if (copy_trouble_.empty()) {
    log_info("host_copy", "what=\"it is written again\"");
    tell_of_ourselves("the second copy of what was decided is written again", "Nothing is missing in it.",
                      {"host copy", true});
    co_return;
  }
  log_error("host_copy", "what=" + log_value(copy_trouble_));
  if (is_news) tell_of_ourselves("the second copy of what was decided cannot be written", copy_trouble_, {"host copy"});
}

void Watcher::tell_of_ourselves(std::string title, std::string text, rules::Lasting lasting) {
  rules::Tell tell;
  tell.stage = rules::Stage::fault;
  tell.title = std::move(title);
  tell.text = std::move(text);
  tell.at = clock_.now();
  tell.lasting = std::move(lasting);
  Batch batch;
  batch.push_back(std::move(tell));
  loop_.push(std::move(batch));
}

void Watcher::look_at_clock() {
  const std::optional<rules::Duration> jump = clock_.take_jump();
  if (!jump) return;
  log_warning("clock_jump", fmt::format("by={:.1f}s", rules::seconds(*jump)));
  loop_.observe(rules::ClockJump{clock_.now(), *jump});
}

// The process has less than watcher.memory allows: those who keep most make way at their next polls. More is not
// allowed again before a reload, or the reserve would be spent again and again.
void Watcher::look_at_memory() {
  if (!reserve_.spent()) return;
  constexpr std::size_t least = 1024 * 1024;  // bytes
  const std::size_t before = memory_.size();
  memory_.resize(std::max(before / 2, least));
  malloc_trim(0);
  reserve_.take_again();
  if (memory_.size() == before) return;
  log_error("memory", fmt::format("what=\"memory ran out: what targets may make us keep is lowered to {} KiB; give "
                                  "rollbackd more, or lower watcher.memory\"",
                                  memory_.size() / 1024));
}

// The outbox counts in its own way; what is new since the last look is handed to the metrics.
void Watcher::count_notifications() {
  for (const auto& [name, counts] : outbox_.counts()) {
    Outbox::Counts& known = counted_[name];
    for (; known.delivered < counts.delivered; ++known.delivered) metrics_.count_notification(name, "delivered");
    for (; known.failed < counts.failed; ++known.failed) metrics_.count_notification(name, "failed");
    for (; known.given_up < counts.given_up; ++known.given_up) metrics_.count_notification(name, "given_up");
  }
}

void Watcher::save_spans() {
  if (std::exchange(spans_lost_, deeds_.spans_lost()) != deeds_.spans_lost()) span_keeping_.forget();
  const rules::Instant now = clock_.now();
  rules::SpanChanges changes = span_keeping_.changes(engine_.spans(now), now);
  Batch batch;
  batch.reserve(1 + changes.changed.size());
  batch.push_back(rules::Save{changes.rest});
  for (rules::SpanRecord& span : changes.changed) batch.push_back(rules::Save{std::move(span)});
  loop_.push(std::move(batch));
}

// Apart from whatever waits for the disk: a disk that stalls is no reason for the service manager to kill us in the
// middle of a step.
asio::awaitable<void> Watcher::heartbeat() {
  rules::Duration beat = tick;
  if (const auto period = systemd_.watchdog_period()) beat = std::min<rules::Duration>(beat, *period / 2);
  asio::steady_timer timer(io_);
  for (;;) {
    look_at_clock();
    look_at_memory();
    systemd_.feed_watchdog();
    if (stopping_) systemd_.extend_timeout(stop_extension);
    timer.expires_after(probes::until_next(clock_.now(), beat));
    co_await timer.async_wait(as_result);
    const bool ended = co_await probes::cancelled();
    if (ended) co_return;
  }
}

// For who waits for our sign of life: a watcher that lives and cannot act is as good as a dead one.
std::string Watcher::why_not_able() {
  if (stopping_) return "it stops";
  const std::vector<std::string> degraded = engine_.view(clock_.now()).degraded;
  return degraded.empty() ? std::string() : degraded.front();
}

asio::awaitable<void> Watcher::housekeeping() {
  asio::steady_timer timer(io_);
  for (int count = 1;; ++count) {
    timer.expires_after(probes::until_next(clock_.now(), tick));
    co_await timer.async_wait(as_result);
    const bool ended = co_await probes::cancelled();
    if (ended) co_return;
    const bool is_span_save = count % ticks_per_span_save == 0;
    if (is_span_save || samples_.size() >= samples_soon) {
      co_await record_samples();
    }
    if (is_span_save) {
      save_spans();  // that we are alive, too
      co_await look_for_damage();
      co_await look_at_host_copy();
      look_at_doors();
    }
    if (count == ticks_of_start) give_back_what_is_over();
    const bool is_troubled = deeds_.save_failed() || !disk_trouble_.empty();
    if (count % (is_troubled ? ticks_per_trouble_look : ticks_per_disk_look) == 1) {
      co_await look_at_disk();
    }
    if (deeds_.deployment_under_way()) deeds_.release_ended_deployments(view());
    count_notifications();
    metrics_.observe_loop_lag(scheduler_->loop_lag());
  }
}

}  // namespace watcher
