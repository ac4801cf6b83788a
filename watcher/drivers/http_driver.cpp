#include "watcher/drivers/http_driver.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "watcher/drivers/http_notes.hpp"
#include "watcher/drivers/http_requests.hpp"
#include "watcher/drivers/http_runs.hpp"
#include "watcher/drivers/http_switch.hpp"

namespace watcher {

namespace {

class Workflow final : public Driver {
 public:
  Workflow(rules::ServiceName service, const HttpWorkflow& config, rules::Duration switch_limit,
           const std::string& state_dir, const probes::Clock& clock)
      : service_(std::move(service)),
        config_(config),
        switch_limit_(switch_limit),
        clock_(clock),
        requests_(config_),
        file_(state_dir, service_.text) {}

  asio::awaitable<rules::RevisionRead> identify() override;
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  std::vector<std::string> asks_for(const rules::Revision& from, const rules::Revision& to) const override;
  // What is left to do the step's result says.
  std::string aftermath() const override { return {}; }

 private:
  // What is found out of a run that was left behind is written down by the watcher's own looks, and by nobody else.
  enum class Notes { left, written };
  asio::awaitable<std::string> why_not_ready(std::optional<rules::Revision> to, Notes kept);
  std::string unfinished() const;
  bool is_long_ago(const HttpNotes& notes) const;
  void settle(const HttpNotes& looked_for, const FoundRun& found) const;

  rules::ServiceName service_;
  HttpWorkflow config_;
  rules::Duration switch_limit_;
  const probes::Clock& clock_;
  HttpRequests requests_;
  HttpNotesFile file_;
};

asio::awaitable<rules::RevisionRead> Workflow::identify() {
  rules::RevisionRead read;
  read.service = service_;
  read.started = clock_.now();
  const HttpAnswer answer = co_await requests_.version();
  read.by = "`" + answer.asked + "`";
  VersionSaid said = version_in(config_, answer);
  read.error = std::move(said.error);
  if (read.error.empty()) read.revision = std::move(said.revision);
  read.unfinished = unfinished();
  read.ended = clock_.now();
  co_return read;
}

// An application that does not say what it runs may be what a rollback is for: it is no reason against one.
asio::awaitable<std::string> Workflow::why_not_ready(std::optional<rules::Revision> to, Notes kept) {
  std::string refused = why_unsafe_target(to);
  if (refused.empty()) refused = file_.read().error;
  if (!refused.empty()) co_return refused;
  const HttpNotes notes = file_.read().notes;
  HttpNames names{"", "", notes.id, notes.since};
  if (notes.is_settled) names = {"", "", "none", listed_since(clock_.now())};
  const HttpAnswer runs = co_await requests_.runs(names);
  if (!runs.what.empty()) co_return runs.what;
  const FoundRun list = find_run(config_, runs.body, names.id);
  if (!list.error.empty()) co_return runs.asked + ": " + list.error;
  if (kept == Notes::written) settle(notes, list);
  if (to) names.to = to->text;
  if (!to || config_.target.value.empty()) co_return std::string();
  const HttpAnswer target = co_await requests_.target(names);
  if (target.what.empty()) co_return std::string();
  co_return to->text + " cannot be gone back to: " + target.what;
}

// One that did not begin in all that time does not begin any more.
bool Workflow::is_long_ago(const HttpNotes& notes) const {
  constexpr rules::Duration waited_max = std::chrono::hours(6);  // what GitHub gives a job
  return notes.since < listed_since(clock_.now() - waited_max);
}

// Of a run that was given up, or left behind by our end: whoever looks at the service has to know that it may go on.
std::string Workflow::unfinished() const {
  const HttpNotes notes = file_.read().notes;
  if (notes.is_settled || is_long_ago(notes)) return {};
  const std::string run = notes.link.empty() ? "the run that is called by " + notes.id : notes.link;
  return "a run that incident " + notes.incident + " asked for, to go to " + notes.to +
         ", was not seen to its end, and may still switch; look at it, or cancel it there: " + run;
}

// Its end was seen. A switch that began meanwhile has notes of its own.
void Workflow::settle(const HttpNotes& looked_for, const FoundRun& found) const {
  if (looked_for.is_settled || !found.run || !found.run->done) return;
  HttpNotes now_so = file_.read().notes;
  if (now_so.id != looked_for.id) return;
  now_so.is_settled = true;
  now_so.is_unheard = true;
  // What is not written down is looked at again.
  static_cast<void>(file_.write(now_so));
}

asio::awaitable<rules::ReadinessRead> Workflow::ready(std::optional<rules::Revision> to) {
  std::string refused = co_await why_not_ready(std::move(to), Notes::left);
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

asio::awaitable<rules::ReadinessRead> Workflow::still_ready(std::optional<rules::Revision> to) {
  std::string refused = co_await why_not_ready(std::move(to), Notes::written);
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

asio::awaitable<rules::StepResult> Workflow::switch_to(SwitchRequest request) {
  // When it is called off in the middle, people are still told what goes on without us.
  co_await asio::this_coro::throw_if_cancelled(false);
  if (request.limit <= rules::Duration::zero()) request.limit = switch_limit_;
  HttpSwitch work(config_, requests_, file_, clock_, std::move(request));
  co_return co_await work.run();
}

std::vector<std::string> Workflow::asks_for(const rules::Revision& from, const rules::Revision& to) const {
  return requests_.dispatch_shown({to.text, from.text, "INCIDENT-1-HOST", ""});
}

}  // namespace

std::unique_ptr<Driver> make_http_driver(const rules::ServiceName& service, const HttpWorkflow& config,
                                         rules::Duration switch_limit, const std::string& state_dir,
                                         const probes::Clock& clock) {
  return std::make_unique<Workflow>(service, config, switch_limit, state_dir, clock);
}

}  // namespace watcher
