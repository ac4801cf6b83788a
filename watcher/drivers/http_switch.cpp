#include "watcher/drivers/http_switch.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "rules/base/parse.hpp"
#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/http_refusal.hpp"
#include "watcher/report/text.hpp"
#include "watcher/steps/evidence.hpp"
#include "watcher/steps/redact.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr rules::Duration version_pause = std::chrono::seconds(2);
constexpr int agreeing_looks = 2;  // at the version: one instance of several may answer first

// Watchers of several hosts may begin an incident of the same name in the same second.
std::string host_mark() {
  constexpr std::size_t digits = 6;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) name[0] = '?';
  return sha256_hex(name.data()).substr(0, digits);
}

}  // namespace

HttpSwitch::HttpSwitch(const HttpWorkflow& config, HttpRequests& requests, const HttpNotesFile& file,
                       const probes::Clock& clock, SwitchRequest request)
    : config_(config),
      requests_(requests),
      file_(file),
      clock_(clock),
      request_(std::move(request)),
      deadline_(clock.now() + request_.limit),
      began_(clock.now()),
      asked_(began_) {}

HttpNames HttpSwitch::names() const { return {notes_.to, notes_.from, notes_.id, notes_.since}; }

// Where people look.
std::string HttpSwitch::where() const {
  const std::string& link = run_ && !run_->link.empty() ? run_->link : notes_.link;
  return link.empty() ? "the run that is called by " + notes_.id : link;
}

void HttpSwitch::story(const std::string& line) { result_.output += utc_text(clock_.now()) + " " + line + "\n"; }

HttpSwitch::MaybeTrouble HttpSwitch::note() {
  const std::optional<std::string> fault = file_.write(notes_);
  if (!fault) return std::nullopt;
  return HttpTrouble{"note what is done: " + *fault};
}

asio::awaitable<rules::StepResult> HttpSwitch::run() {
  MaybeTrouble trouble = co_await work();
  keep_run();
  result_.nothing_begun = trouble && !begun_;
  result_.status = trouble ? trouble->status : rules::StepStatus::succeeded;
  if (trouble) {
    result_.detail = trouble->what;
  } else {
    result_.detail = request_.to.text + " runs" + result_.detail + "\nthe run: " + where();
  }
  co_return std::move(result_);
}

asio::awaitable<HttpSwitch::MaybeTrouble> HttpSwitch::work() {
  HttpNotesFile::Found found = file_.read();
  if (!found.error.empty()) co_return HttpTrouble{found.error};
  notes_ = std::move(found.notes);
  const bool is_same = notes_.incident == request_.incident.text && notes_.to == request_.to.text;
  MaybeTrouble trouble;
  if (is_same && (!notes_.is_settled || notes_.is_unheard)) {
    begun_ = true;
    story("asked for before rollbackd ended; looked for as " + notes_.id);
  } else {
    trouble = co_await prepare();
    if (!trouble && !run_) trouble = co_await ask_for_run();
  }
  if (!trouble) trouble = co_await wait_for_run();
  if (!trouble) trouble = co_await verify();
  co_return trouble;
}

// All that can be found out before the request.
asio::awaitable<HttpSwitch::MaybeTrouble> HttpSwitch::prepare() {
  MaybeTrouble trouble;
  if (!notes_.is_settled) trouble = co_await look_at_earlier();
  if (trouble) co_return trouble;
  const bool is_next = notes_.incident == request_.incident.text;
  HttpNotes next;
  next.incident = request_.incident.text;
  next.count = is_next ? notes_.count + 1 : 1;
  next.from = request_.from.text;
  next.to = request_.to.text;
  next.id = next.incident + "-" + std::to_string(next.count) + "-" + host_mark();
  next.since = listed_since(clock_.now());
  notes_ = std::move(next);
  run_.reset();
  co_await look_for_run();
  if (!has_looked_) co_return HttpTrouble{"a run could not be followed, so none was asked for: " + not_seen_};
  if (!config_.target.value.empty()) {
    const HttpAnswer target = co_await requests_.target(names());
    if (!target.what.empty()) co_return HttpTrouble{request_.to.text + " cannot be gone back to: " + target.what};
  }
  // Our notes were lost, and the run is there.
  begun_ = run_.has_value();
  co_return trouble;
}

// Two runs that switch would get in each other's way.
asio::awaitable<HttpSwitch::MaybeTrouble> HttpSwitch::look_at_earlier() {
  co_await look_for_run();
  if (!has_looked_) co_return HttpTrouble{"a run could not be followed, so none was asked for: " + not_seen_};
  const bool is_at_work = run_ && !run_->done;
  if (is_at_work)
    co_return HttpTrouble{"the run that incident " + notes_.incident + " asked for is still at work (" + run_->state +
                          "): " + where() + "; wait for its end, or cancel it there"};
  co_return MaybeTrouble();
}

// A refusal begins nothing. A server that is asked too often says when it may be asked again; what it says of later
// than our patience is left to whoever tries again.
asio::awaitable<HttpSwitch::MaybeTrouble> HttpSwitch::ask_for_run() {
  constexpr int asked_max = 5;
  MaybeTrouble trouble = co_await ask_once();
  for (int asked = 1; trouble && !begun_ && asked_again_after_ && asked < asked_max; ++asked) {
    const bool again = co_await may_ask_again();
    if (!again) break;
    trouble = co_await ask_once();
  }
  if (trouble && !begun_ && !not_again_.what.empty()) {
    trouble->what += "; " + not_again_.what;
    trouble->status = not_again_.status;
  }
  co_return trouble;
}

asio::awaitable<HttpSwitch::MaybeTrouble> HttpSwitch::ask_once() {
  asked_again_after_.reset();
  notes_.is_settled = false;
  MaybeTrouble trouble = note();
  if (trouble) co_return trouble;
  begun_ = true;
  asked_ = clock_.now();
  const HttpAnswer answer = co_await requests_.dispatch(names());
  const bool is_taken = !answer.fault && answer.what.empty();
  story(answer.what.empty() ? answer.asked + ": " + std::to_string(answer.status) : answer.what);
  result_.exit_code = static_cast<int>(answer.status);
  if (is_taken || may_have_arrived(answer)) {
    if (!is_taken) story("nobody knows whether that arrived: the run is looked for, and not asked for again");
    co_return trouble;
  }
  // Refused, or never sent: there is none to come.
  begun_ = false;
  asked_again_after_ = asked_again_after(answer, clock_.now());
  notes_.is_settled = true;
  note();
  co_return HttpTrouble{answer.what};
}

// Waits until then. Whoever deployed meanwhile is not taken back.
asio::awaitable<bool> HttpSwitch::may_ask_again() {
  constexpr rules::Duration patience = std::chrono::minutes(2);  // what it was decided on must not be old
  const rules::Duration wait = std::max(*asked_again_after_, config_.poll_interval);
  const rules::Instant then = clock_.now() + wait;
  not_again_.what = "it may be asked again in " + rules::to_string(std::chrono::ceil<std::chrono::seconds>(wait));
  if (request_.another_follows || then > std::min(began_ + patience, deadline_)) co_return false;
  story(not_again_.what + ", and will be");
  const bool called_off = co_await pause(wait);
  if (called_off) {
    not_again_ = {"the step was called off before it was asked again", rules::StepStatus::interrupted};
    co_return false;
  }
  const HttpAnswer answer = co_await requests_.version();
  const VersionSaid said = version_in(config_, answer);
  const bool is_known = !said.revision.empty() && !request_.from.empty();
  const bool is_another = is_known && said.revision != request_.from;
  not_again_.what = is_another ? said.revision.text + " runs by now, so it is not asked again" : "";
  co_return !is_another;
}

asio::awaitable<void> HttpSwitch::look_for_run() {
  const HttpAnswer answer = co_await requests_.runs(names());
  FoundRun found;
  found.error = answer.what;
  if (found.error.empty()) {
    found = find_run(config_, answer.body, notes_.id);
    if (!found.error.empty()) found.error = answer.asked + ": " + found.error;
  }
  has_looked_ = found.error.empty();
  not_seen_ = std::move(found.error);
  if (!has_looked_ || !found.run) co_return;
  const bool is_news = !run_ || run_->state != found.run->state;
  run_ = std::move(found.run);
  if (is_news) story(run_->state + ": " + where());
}

// True: the step was called off meanwhile.
asio::awaitable<bool> HttpSwitch::pause(rules::Duration length) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, length);
  co_await timer.async_wait(as_result);
  co_return co_await probes::cancelled();
}

std::string HttpSwitch::known_of_run() const {
  std::string text = run_ ? "it was \"" + run_->state + "\"" : "it was not seen";
  if (!not_seen_.empty()) text += ", and the last look failed: " + not_seen_;
  return text;
}

// That a run is not in the list says something only where the list could be read.
asio::awaitable<HttpSwitch::MaybeTrouble> HttpSwitch::wait_for_run() {
  constexpr rules::Duration first_pause = std::chrono::seconds(1);
  rules::Duration next = std::min(first_pause, config_.poll_interval);
  while (true) {
    co_await look_for_run();
    if (run_ && notes_.link != run_->link) {
      notes_.link = run_->link;
      note();
    }
    if (run_ && run_->done) co_return verdict_of_run();
    const rules::Instant now = clock_.now();
    if (!run_ && has_looked_ && now - asked_ >= config_.appears_within)
      co_return HttpTrouble{"no run that is called by " + notes_.id + " appeared within " +
                            rules::to_string(config_.appears_within) +
                            "; it is not asked for again, and may still come: look at the CI before anything else is "
                            "done, and at its workflow, which has to call a run by its id"};
    if (now >= deadline_)
      co_return HttpTrouble{"the run has not ended after " + rules::to_string(request_.limit) + ": " + known_of_run() +
                                "; it goes on without rollbackd, cancel it there or wait: " + where(),
                            rules::StepStatus::timed_out};
    const bool called_off = co_await pause(next);
    if (called_off)
      co_return HttpTrouble{"the step was called off; the run goes on without rollbackd (" + known_of_run() +
                                "), cancel it there or wait: " + where(),
                            rules::StepStatus::interrupted};
    next = config_.poll_interval;
  }
}

HttpSwitch::MaybeTrouble HttpSwitch::verdict_of_run() {
  notes_.is_settled = true;
  notes_.is_unheard = false;
  // What is not written down is looked at once more, which changes nothing.
  note();
  if (run_->succeeded) return std::nullopt;
  return HttpTrouble{"the run did not end well (" + run_->state + "): " + where()};
}

// That the CI says so is no proof. What cannot be read is not bad: whoever asked for the switch reads it as well.
asio::awaitable<HttpSwitch::MaybeTrouble> HttpSwitch::verify() {
  const rules::Instant end = clock_.now() + config_.version_within;
  VersionSaid said;
  int agreed = 0;
  while (true) {
    const HttpAnswer answer = co_await requests_.version();
    said = version_in(config_, answer);
    agreed = said.revision == request_.to ? agreed + 1 : 0;
    if (agreed >= agreeing_looks) co_return MaybeTrouble();
    if (clock_.now() >= end) break;
    const bool called_off = co_await pause(std::min(version_pause, config_.poll_interval));
    if (called_off)
      co_return HttpTrouble{"the step was called off after the run had ended well: " + where(),
                            rules::StepStatus::interrupted};
  }
  const std::string late = " " + rules::to_string(config_.version_within) + " after the run had ended well";
  if (said.revision == request_.from)
    co_return HttpTrouble{"the run ended well, but " + said.revision.text + " runs, not " + request_.to.text + late +
                          ": " + where()};
  result_.detail = ", as far as its run says: ";
  result_.detail += said.error.empty() ? said.revision.text + " was seen" + late : said.error;
  co_return MaybeTrouble();
}

void HttpSwitch::keep_run() {
  const auto folder = request_.env.find("ROLLBACKD_EVIDENCE_DIR");
  if (!run_ || folder == request_.env.end() || folder->second.empty()) return;
  std::string text = run_->json + "\n";
  redact(text, request_.secrets);
  write_evidence(folder->second, "ci-run.json", text);
}

}  // namespace watcher
