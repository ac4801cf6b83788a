#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "watcher/notify/curl_library.hpp"
#include "watcher/report/report.hpp"
#include "watcher/run/descriptors.hpp"
#include "watcher/run/giving_back.hpp"
#include "watcher/run/log.hpp"
#include "watcher/run/watcher.hpp"

// What people and scripts ask of the watcher: over the API, the control socket, and with SIGHUP.

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

rules::Answer refused(std::string text) {
  rules::Answer answer;
  answer.text = std::move(text);
  return answer;
}

// A reload's time alone with the watcher: the end of the scope, also by an exception, gives it to the next.
class ReloadTurn {
 public:
  ReloadTurn(bool& taken, asio::steady_timer& ended) : taken_(taken), ended_(ended) { taken_ = true; }
  ~ReloadTurn() {
    taken_ = false;
    ended_.cancel();
  }
  ReloadTurn(const ReloadTurn&) = delete;
  ReloadTurn& operator=(const ReloadTurn&) = delete;

 private:
  bool& taken_;
  asio::steady_timer& ended_;
};

std::string findings_text(const Loaded& loaded, const std::string& path) {
  std::string text;
  for (const Finding& finding : loaded.findings) {
    if (!text.empty()) text += '\n';
    text += format_finding(path, finding);
  }
  return text;
}

// Which of the settings that are taken at the start only is another one; empty: none.
std::string needs_restart(const WatcherSection& now, const WatcherSection& then) {
  if (now.state_dir != then.state_dir) return "state_dir";
  if (now.listen != then.listen) return "listen";
  if (now.control != then.control) return "control";
  if (now.control_group != then.control_group) return "control_group";
  if (now.record != then.record) return "record";
  return "";
}

}  // namespace

rules::EngineView Watcher::view() const {
  rules::EngineView view = engine_.view(clock_.now());
  if (!unreached_.empty()) view.degraded.push_back(unreached_);
  if (!copy_trouble_.empty()) view.degraded.push_back(copy_trouble_);
  return view;
}

std::vector<std::string> Watcher::not_ready() const {
  std::vector<std::string> reasons;
  const rules::EngineView now_view = view();
  for (const rules::ProbeView& probe : now_view.probes) {
    if (!probe.last) reasons.push_back("probe " + probe.probe.text + " has not been polled yet");
  }
  // It acts all the same.
  for (const std::string& reason : now_view.degraded) {
    if (reason != copy_trouble_) reasons.push_back(reason);
  }
  if (stopping_) reasons.push_back("stopping");
  return reasons;
}

asio::awaitable<std::vector<rules::IncidentRecord>> Watcher::incidents(std::size_t most) {
  co_return co_await journal_.incidents(most);
}

asio::awaitable<std::optional<rules::IncidentRecord>> Watcher::incident(rules::IncidentId id) {
  co_return co_await journal_.incident(std::move(id));
}

asio::awaitable<std::vector<rules::StepRecord>> Watcher::steps(rules::IncidentId id) {
  co_return co_await journal_.steps(std::move(id));
}

// Files are read where the journal's are.
asio::awaitable<std::string> Watcher::report(rules::IncidentId id) {
  if (deeds_.is_report_due(id)) co_return std::string();
  auto text = std::make_shared<std::string>();  // shared with the work, which may outlast this
  std::function<void(Journal&)> work = [text, id, state_dir = config_->watcher.state_dir](Journal&) {
    *text = written_report(state_dir, id);
  };
  const bool done = co_await journal_.use(std::move(work));
  if (!done) co_return std::string();
  co_return std::move(*text);
}

asio::awaitable<rules::Answer> Watcher::request(rules::Request request) {
  const std::string caution = co_await caution_of(request);
  const std::string not_understood = co_await understand(request);
  if (!not_understood.empty()) co_return refused(not_understood);
  const bool accepts_state = std::holds_alternative<rules::AcceptState>(request);
  rules::Answer answer = loop_.request(request);
  co_await loop_.settled();
  if (answer.accepted) answer.text += caution;
  if (accepts_state && answer.accepted) {
    const std::optional<JournalFault> fault = co_await journal_.accept_state();
    if (fault) answer.text += "; but only until the next start: " + fault->what;
  }
  co_return answer;
}

// One after the other: what one puts up, another that waits for the readers' end would wait for as well.
asio::awaitable<rules::Answer> Watcher::reload() {
  while (reloading_) {
    co_await reload_ended_.async_wait(as_result);
  }
  const ReloadTurn turn(reloading_, reload_ended_);
  co_return co_await reload_alone();
}

asio::awaitable<rules::Answer> Watcher::reload_alone() {
  Loaded loaded = load_config(config_->path);
  if (!loaded.config) {
    metrics_.set_reload_successful(false);
    const std::string text = findings_text(loaded, config_->path);
    log_error("reload", "refused=" + log_value(text));
    co_return refused("nothing was changed:\n" + text);
  }
  auto fresh = std::make_shared<const Config>(std::move(*loaded.config));
  if (!fresh->notifiers.empty() && curl_library().problem) {
    metrics_.set_reload_successful(false);
    co_return refused("nothing was changed: " + *curl_library().problem);
  }
  const auto places = places_among(descriptors_allowed(), descriptors_needed(*fresh));
  if (const auto* too_few = std::get_if<std::string>(&places)) {
    metrics_.set_reload_successful(false);
    co_return refused("nothing was changed: " + *too_few);
  }
  const std::string fixed = needs_restart(config_->watcher, fresh->watcher);
  metrics_.set_reload_successful(fixed.empty());
  if (!fixed.empty()) co_return refused("nothing was changed: " + fixed + " needs a restart");
  readers_.cancel();
  co_await readers_.join();
  // What is being taken down must not be put up again.
  if (stopping_) co_return refused("nothing was changed: the watcher is stopping");
  config_ = std::move(fresh);
  server_.allow(std::get<Places>(places));
  memory_.resize(static_cast<std::size_t>(config_->watcher.memory));
  loop_.reload(core());
  scheduler_->replace(probe_configs());
  outbox_.replace(config_->notifiers);
  equip();
  co_await loop_.settled();
  log_info("reload", "file=" + log_value(config_->path));
  give_back_what_is_over();
  rules::Answer answer;
  answer.accepted = true;
  answer.text = "reloaded " + config_->path;
  if (runner_ == nullptr) co_return answer;
  const std::shared_ptr<RunnerClient> runner = runner_;  // shared with the drivers
  const std::string differs = co_await runner->reload();
  if (!differs.empty()) answer.text += "; but nothing can be rolled back: " + differs;
  co_return answer;
}

asio::awaitable<void> Watcher::reload_and_log() {
  const rules::Answer answer = co_await reload();
  if (!answer.accepted) log_warning("reload", "answer=" + log_value(answer.text));
}

void Watcher::reload_on_signal() {
  if (!stopping_) steps_.spawn("reload", reload_and_log());
}

}  // namespace watcher
