#include "watcher/drivers/systemd_switch.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <variant>

#include "probes/net/cancelled.hpp"
#include "watcher/drivers/systemd_link.hpp"
#include "watcher/report/time_limits.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// Going back is not for the time limit of the switch, which may be what ended it.
constexpr rules::Duration go_back_limit = std::chrono::minutes(5);
constexpr std::int64_t restarts_max = 3;  // after which a unit that systemd restarts again and again will not come up

}  // namespace

std::string why_no_switch(const SystemdDriver& config, const std::vector<SystemdUnit>& units, const std::string& to) {
  std::string refused = why_no_link(config);
  const std::string releases = releases_of(config);
  for (const SystemdUnit& unit : units) {
    if (refused.empty()) refused = why_no_start(unit);
    const bool is_fixed =
        unit.commands.find(releases + "/") != std::string::npos || unit.working_directory.starts_with(releases + "/");
    if (refused.empty() && is_fixed) {
      refused = unit.name + " names a folder in " + releases + " itself, so that changing the link changes nothing; " +
                "do write " + config.link + " there instead";
    }
  }
  if (refused.empty() && !to.empty()) refused = why_no_release(config, to);
  return refused;
}

SystemdProgress progress_of(const std::vector<SystemdUnit>& units) {
  SystemdProgress out;
  for (const SystemdUnit& unit : units) {
    out.seen += unit.name + unit.state + "\n";
    const bool is_down = (unit.active == "failed" || unit.active == "inactive") && !unit.is_done();
    const bool has_ended = is_down && !unit.has_job;
    if (out.failed.empty() && (has_ended || unit.restarts >= restarts_max)) out.failed = ending_of(unit);
    const bool is_up = unit.active == "active" || (unit.is_done() && !unit.has_job);
    if (out.awaited.empty() && !is_up) out.awaited = unit.name + " is still " + unit.active + " (" + unit.sub + ")";
  }
  return out;
}

SystemdSwitch::SystemdSwitch(const SystemdRunner& runner, const SystemdNotesFile& file, SystemdNotes& notes,
                             SystemdMemory& memory, const probes::Clock& clock, SwitchRequest request)
    : runner_(runner), file_(file), notes_(notes), memory_(memory), clock_(clock), request_(std::move(request)) {
  const bool is_limited = request_.limit > rules::Duration::zero();
  const rules::Duration own = runner_.config().restart_timeout;
  deadline_ = clock_.now() + (is_limited ? std::min(request_.limit, own) : own);
}

rules::Duration SystemdSwitch::left() const { return deadline_ - clock_.now(); }

SystemdSwitch::MaybeTrouble SystemdSwitch::note(std::string switching_to) {
  notes_.switching_to = std::move(switching_to);
  const std::optional<std::string> fault = file_.write(notes_);
  if (!fault) return std::nullopt;
  return SystemdError{"note what is done: " + *fault};
}

asio::awaitable<rules::StepResult> SystemdSwitch::run() {
  MaybeTrouble trouble = co_await prepare();
  if (!trouble) {
    trouble = co_await change();
    note({});
  }
  result_.nothing_begun = trouble && !begun_;
  result_.status = trouble ? trouble->status : rules::StepStatus::succeeded;
  if (trouble) {
    result_.detail = trouble->what;
  } else {
    result_.detail = request_.to.text + " runs" + result_.detail;
    for (const std::string& line : notes_.aftermath) result_.detail += "\n" + line;
  }
  co_return std::move(result_);
}

// All that can be found out before anything is changed.
asio::awaitable<SystemdSwitch::MaybeTrouble> SystemdSwitch::prepare() {
  std::string refused = runner_.why_not_started();
  if (!refused.empty()) co_return SystemdError{refused};
  before_ = co_await look_at_units(runner_, memory_);
  if (before_.units.empty()) co_return SystemdError{before_.error};
  if (!before_.link.error.empty()) co_return SystemdError{before_.link.error};
  refused = why_no_switch(runner_.config(), before_.units, request_.to.text);
  if (!refused.empty()) co_return SystemdError{refused};
  left_ = before_.link.release;
  // Our end broke off the same switch after the link was changed.
  if (left_ == request_.to.text) left_ = request_.from.text;
  if (left_ == request_.to.text || !why_no_release(runner_.config(), left_).empty()) left_.clear();
  co_return MaybeTrouble();
}

asio::awaitable<SystemdSwitch::MaybeTrouble> SystemdSwitch::change() {
  const SystemdDriver& config = runner_.config();
  if (left() <= rules::Duration::zero()) {
    co_return SystemdError{
        "looking at the units took all of the time that there is, so nothing was begun; do look "
        "whether systemd hangs, or give it a longer restart_timeout",
        rules::StepStatus::timed_out};
  }
  notes_.known = memory_;
  notes_.aftermath.clear();
  if (!left_.empty()) {
    notes_.aftermath.push_back(config.link + " points to " + request_.to.text + "; " + left_ + " is left in " +
                               releases_of(config) + " to be looked at");
  }
  MaybeTrouble trouble = note(request_.to.text);
  if (trouble) co_return trouble;
  if (before_.link.release != request_.to.text) {
    begun_ = true;
    const auto fault = change_link(config.link, link_text_for(before_.link.text, request_.to.text));
    if (fault) trouble = SystemdError{*fault};
  }
  if (trouble) {
    co_await put_back(*trouble);
    co_return trouble;
  }
  begun_ = true;
  const rules::Instant restarted_at = clock_.now();
  const MaybeTrouble answer = co_await restart(left());
  trouble = answer;
  // Where systemctl lost its answer, or its job made way for another, the units tell what became of it.
  if (!answer || answer->status == rules::StepStatus::failed) trouble = co_await wait_until_up(restarted_at, deadline_);
  if (!trouble) trouble = co_await verify(answer);
  if (!trouble) co_return trouble;
  notes_.aftermath.clear();
  const std::string stopped = co_await stopped_meanwhile();
  if (!stopped.empty()) {
    trouble->what = stopped + "\nThat came while " + request_.to.text + " was started, which is linked; nothing " +
                    "was put back or started against that";
    co_return trouble;
  }
  co_await add_last_words(*trouble, answer, restarted_at);
  // What is not waited for any more is left to come up.
  if (trouble->status == rules::StepStatus::interrupted)
    trouble->what += "\n" + request_.to.text + " is linked and was left to come up";
  else
    co_await put_back(*trouble);
  co_return trouble;
}

// A unit that has failed too often is not started again before that is forgotten.
asio::awaitable<SystemdSwitch::MaybeTrouble> SystemdSwitch::restart(rules::Duration limit) {
  std::string not_told;
  co_await runner_.change("reset-failed", systemd_question_limit, not_told);
  co_return co_await runner_.change("restart", limit, result_.output);
}

asio::awaitable<SystemdSwitch::MaybeTrouble> SystemdSwitch::wait_until_up(rules::Instant since, rules::Instant end) {
  constexpr rules::Duration pause = std::chrono::milliseconds(250);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  rules::Instant steady_from = clock_.now();
  std::string seen;
  while (true) {
    const SystemdUnits answer = co_await runner_.show();
    SystemdProgress so_far;
    if (const auto* const error = std::get_if<SystemdError>(&answer))
      so_far.awaited = error->what;
    else
      so_far = progress_of(std::get<std::vector<SystemdUnit>>(answer));
    if (!so_far.failed.empty()) co_return SystemdError{so_far.failed};
    const rules::Instant now = clock_.now();
    if (!so_far.awaited.empty() || so_far.seen != seen) steady_from = now;
    seen = so_far.seen;
    const bool is_up = so_far.awaited.empty() && now - steady_from >= runner_.config().steady;
    if (is_up) co_return MaybeTrouble();
    if (now >= end) {
      const std::string what = so_far.awaited.empty() ? "the units are not steady" : so_far.awaited;
      co_return SystemdError{what + " after " + waited_text(since, end), rules::StepStatus::timed_out};
    }
    timer.expires_after(pause);
    co_await timer.async_wait(as_result);
    const bool called_off = co_await probes::cancelled();
    if (called_off && !going_back_) co_return SystemdError{"the step was called off", rules::StepStatus::interrupted};
  }
}

// Empty: all that does not run has failed. The journal is written a moment after the deed.
asio::awaitable<std::string> SystemdSwitch::stopped_meanwhile() {
  constexpr rules::Duration moment = std::chrono::milliseconds(500);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, moment);
  co_await timer.async_wait(as_result);
  const SystemdLook look = co_await look_at_units(runner_, memory_);
  co_return look.stopped;
}

asio::awaitable<void> SystemdSwitch::add_last_words(SystemdError& trouble, MaybeTrouble answer, rules::Instant since) {
  const SystemdUnits shown = co_await runner_.show();
  const auto* const units = std::get_if<std::vector<SystemdUnit>>(&shown);
  if (units == nullptr) co_return;
  // "Assertion failed on job for shop.service."
  const bool asserts_not_met = answer && answer->what.find("ssertion failed") != std::string::npos;
  const auto down = std::find_if(units->begin(), units->end(), [](const SystemdUnit& one) { return !one.runs(); });
  if (down == units->end()) co_return;
  std::string unmet;
  if (asserts_not_met) unmet = co_await runner_.unmet(down->name);
  if (asserts_not_met && unmet.empty()) unmet = co_await runner_.asserts(down->name);
  if (asserts_not_met) trouble.what = down->name + " was not started, for it asserts what is not so: " + unmet;
  const std::string line = co_await runner_.last_words_of(down->name, since);
  if (!line.empty()) trouble.what += "\n" + down->name + " wrote last: " + line;
}

// That systemd says so is no proof. What cannot be read is not bad: whoever asked for the switch reads it as well.
asio::awaitable<SystemdSwitch::MaybeTrouble> SystemdSwitch::verify(MaybeTrouble answer) {
  const SystemdLook look = co_await look_at_units(runner_, memory_);
  if (look.revision == request_.to.text) co_return MaybeTrouble();
  if (answer) co_return answer;
  if (look.revision.empty()) {
    result_.detail = ", as far as its link says: " + look.error;
    co_return MaybeTrouble();
  }
  co_return SystemdError{"systemd reported success, but " + look.revision + " runs, not " + request_.to.text};
}

asio::awaitable<void> SystemdSwitch::put_back(SystemdError& trouble) {
  const SystemdDriver& config = runner_.config();
  going_back_ = true;
  if (left_.empty()) {
    trouble.what += "\nWhat the link said before cannot be put back; do ln -sfn the release that is to run to " +
                    config.link + ", and systemctl restart " + before_.units.front().name;
    co_return;
  }
  const ReleaseLink now_so = read_release_link(config);
  const bool is_theirs = now_so.release != left_ && now_so.release != request_.to.text;
  if (begun_ && is_theirs) {
    trouble.what += "\nSomebody has changed " + config.link + " meanwhile (" +
                    (now_so.error.empty() ? "to " + now_so.release : now_so.error) + "), and it was left so";
    co_return;
  }
  if (now_so.release != left_) {
    const auto fault = change_link(config.link, link_text_for(before_.link.text, left_));
    if (fault) {
      trouble.what += "\nThe link is not as it was: " + *fault;
      co_return;
    }
  }
  const SystemdLook look = co_await look_at_units(runner_, memory_);
  const bool stayed = look.revision == left_ && progress_of(look.units).awaited.empty();
  if (stayed) {
    trouble.what += "\n" + left_ + " still runs, and the link is as it was";
    co_return;
  }
  MaybeTrouble failed = co_await restart(go_back_limit);
  const rules::Instant now = clock_.now();
  if (!failed) failed = co_await wait_until_up(now, now + go_back_limit);
  trouble.what += "\n" + left_;
  trouble.what += failed ? " was put back, but is not up: " + failed->what : " was put back and runs again";
}

}  // namespace watcher
