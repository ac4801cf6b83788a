#include "watcher/drivers/compose_switch.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <utility>
#include <variant>

#include "probes/net/cancelled.hpp"
#include "watcher/drivers/compose_document.hpp"
#include "watcher/drivers/compose_names.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/report/time_limits.hpp"
#include "watcher/steps/command.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::map<std::string, std::string> images_of(const ComposeRecord& record, const std::vector<std::string>& services,
                                             const ComposeSharers& sharers) {
  std::map<std::string, std::string> out;
  for (const auto& [service, runs] : sharers.runs) out[service] = runs.image;
  for (const std::string& service : services) {
    const auto found = record.images.find(service);
    if (found != record.images.end()) out[service] = found->second.image;
  }
  return out;
}

}  // namespace

ComposeSwitch::ComposeSwitch(const ComposeRunner& runner, ComposeTool tool, ComposeMemory& memory,
                             const probes::Clock& clock, std::string service, SwitchRequest request)
    : runner_(runner),
      tool_(std::move(tool)),
      memory_(memory),
      clock_(clock),
      service_(std::move(service)),
      request_(std::move(request)) {
  const bool is_limited = request_.limit > rules::Duration::zero();
  const rules::Duration own = runner_.config().up_timeout;
  deadline_ = clock_.now() + (is_limited ? std::min(request_.limit, own) : own);
}

rules::Duration ComposeSwitch::left() const { return deadline_ - clock_.now(); }

asio::awaitable<rules::StepResult> ComposeSwitch::run() {
  MaybeTrouble trouble = co_await prepare();
  if (!trouble) trouble = co_await change();
  result_.nothing_begun = trouble && !begun_;
  result_.status = trouble ? trouble->status : rules::StepStatus::succeeded;
  result_.detail = trouble ? trouble->what : request_.to.text + " runs";
  const ComposeRecords* const records = memory_.records();
  if (begun_ && records != nullptr) {
    for (const std::string& line : records->aftermath) result_.detail += "\n" + line;
  }
  co_return std::move(result_);
}

// All that can be found out before anything is changed.
asio::awaitable<ComposeSwitch::MaybeTrouble> ComposeSwitch::prepare() {
  std::string refused = runner_.why_not_started();
  if (refused.empty()) refused = runner_.why_no_files();
  if (refused.empty() && memory_.records() == nullptr) refused = memory_.why_unreadable();
  if (refused.empty()) refused = why_no_target(*memory_.records(), request_.to, runner_.config());
  if (!refused.empty()) co_return ComposeError{refused};
  target_ = *memory_.records()->find(request_.to);
  refused = co_await why_no_images(runner_, target_);
  if (!refused.empty()) co_return ComposeError{refused};
  std::vector<std::string> services = runner_.config().services;
  before_ = co_await look_at_project(runner_, std::move(services));
  const bool is_seen = before_.error.empty() || before_.absent || !before_.containers.empty();
  if (!is_seen) co_return ComposeError{before_.error};
  refused = why_own_container(before_);
  if (!refused.empty()) co_return ComposeError{refused};
  sharers_ = co_await who_shares(runner_, before_);
  refused = why_cut_off(sharers_, memory_.records()->configuration_of(request_.to), request_.to);
  if (!refused.empty()) co_return ComposeError{refused};
  co_await memory_.note(runner_, tool_, before_, request_.to);
  co_return write_documents(service_);
}

ComposeSwitch::MaybeTrouble ComposeSwitch::write_documents(const std::string& service) {
  const ComposeRecords& records = *memory_.records();
  const std::vector<std::string>& services = runner_.config().services;
  const auto made =
      pinned(records.configuration_of(request_.to), images_of(target_, services, sharers_), !tool_.is_first);
  if (const auto* const why = std::get_if<std::string>(&made)) return ComposeError{request_.to.text + ": " + *why};
  const std::string name = service + ".to.yml";
  if (const auto fault = memory_.file().write_beside(name, std::get<ComposePinned>(made).text))
    return ComposeError{"write the configuration of " + request_.to.text + ": " + *fault};
  to_document_ = memory_.file().beside(name);
  const rules::Revision from(before_.revision);
  const ComposeRecord* const left = records.find(from);
  const std::string configuration = records.configuration_of(from);
  why_no_way_back_ = "what it was configured with is not known";
  if (left == nullptr || configuration.empty()) return std::nullopt;
  const auto back = pinned(configuration, images_of(*left, services, sharers_), !tool_.is_first);
  if (const auto* const why = std::get_if<std::string>(&back)) {
    why_no_way_back_ = *why;
    return std::nullopt;
  }
  const std::string back_name = service + ".from.yml";
  if (const auto fault = memory_.file().write_beside(back_name, std::get<ComposePinned>(back).text))
    return ComposeError{"write the configuration of " + from.text + ": " + *fault};
  from_document_ = memory_.file().beside(back_name);
  return std::nullopt;
}

asio::awaitable<ComposeSwitch::MaybeTrouble> ComposeSwitch::change() {
  MaybeTrouble trouble;
  if (left() <= rules::Duration::zero()) {
    co_return ComposeError{
        "looking at what runs took all of the time that there is, so nothing was begun; do look "
        "whether Docker hangs, or give it a longer up_timeout",
        rules::StepStatus::timed_out};
  }
  if (runner_.config().restores_files) trouble = co_await restore_files();
  if (!trouble) trouble = co_await note_aftermath();
  if (trouble) {
    co_await put_files_back(*trouble);
    co_return trouble;
  }
  begun_ = true;
  const rules::Instant began = clock_.now();
  trouble = co_await up_unless_in_the_way();
  const bool is_made = !trouble;
  if (!trouble) trouble = co_await wait_until_up(began, deadline_);
  if (!trouble) {
    trouble = co_await verify();
    if (trouble) co_await forget_aftermath(*trouble);
    co_return trouble;
  }
  // What is made and only slow to come up, or not waited for any more, is left to come up.
  const bool is_coming = is_made && trouble->status != rules::StepStatus::failed;
  if (overtaken_) {
    co_await forget_aftermath(*trouble);
    co_return trouble;
  }
  std::string stopped;
  if (is_made) stopped = co_await stopped_meanwhile();
  if (!stopped.empty()) {
    trouble->what = stopped + "\nIt was stopped while " + request_.to.text + " was started; nothing was put back or " +
                    "started against that";
  } else if (is_coming) {
    trouble->what += "\nThe containers of " + request_.to.text + " are there and were left to come up";
  } else {
    co_await put_back(*trouble);
  }
  co_return trouble;
}

asio::awaitable<ComposeSwitch::MaybeTrouble> ComposeSwitch::wait_until_up(rules::Instant since, rules::Instant end) {
  constexpr rules::Duration pause = std::chrono::milliseconds(500);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  std::string seen;
  while (true) {
    std::vector<std::string> services = runner_.config().services;
    const ComposeLook look = co_await look_at_project(runner_, std::move(services));
    const ComposeProgress now_so = progress_of(look, runner_.config().services);
    const bool is_up = now_so.is_up && (now_so.is_certain || now_so.seen == seen);
    if (is_up) co_return MaybeTrouble();
    if (!now_so.failed.empty()) co_return ComposeError{now_so.failed};
    if (clock_.now() >= end)
      co_return ComposeError{now_so.awaited + " after " + waited_text(since, end), rules::StepStatus::timed_out};
    seen = now_so.seen;
    timer.expires_after(pause);
    co_await timer.async_wait(as_result);
    const bool called_off = co_await probes::cancelled();
    if (called_off && !going_back_) co_return ComposeError{"the step was called off", rules::StepStatus::interrupted};
  }
}

// Empty: what does not run has failed.
asio::awaitable<std::string> ComposeSwitch::stopped_meanwhile() {
  std::vector<std::string> services = runner_.config().services;
  const ComposeLook look = co_await look_at_project(runner_, std::move(services));
  co_return look.stopped;
}

asio::awaitable<void> ComposeSwitch::look_at_sharers(ComposeLook look) {
  if (sharers_.runs.empty()) co_return;
  const ComposeSharers now_so = co_await who_shares(runner_, std::move(look));
  const std::vector<std::string> lines = what_is_cut_off(sharers_, now_so);
  std::vector<std::string>& aftermath = memory_.records()->aftermath;
  aftermath.insert(aftermath.end(), lines.begin(), lines.end());
  if (!lines.empty()) memory_.save();
}

// That Compose says so is no proof.
asio::awaitable<ComposeSwitch::MaybeTrouble> ComposeSwitch::verify() {
  std::vector<std::string> services = runner_.config().services;
  const ComposeLook look = co_await look_at_project(runner_, std::move(services));
  if (look.revision == request_.to.text) {
    co_await look_at_sharers(look);
    co_return MaybeTrouble();
  }
  if (!look.error.empty())
    co_return ComposeError{"Compose reported success, but what runs cannot be read: " + look.error};
  const bool same_images = std::all_of(look.runs.begin(), look.runs.end(), [&](const auto& one) {
    const auto wanted = target_.images.find(one.first);
    return wanted != target_.images.end() && wanted->second.image == one.second.image;
  });
  co_return ComposeError{"Compose reported success, but " + look.revision + " runs, not " + request_.to.text +
                         (same_images ? ": the images are right, the settings are not" : "")};
}

}  // namespace watcher
