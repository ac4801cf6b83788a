#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/http_notes.hpp"
#include "watcher/drivers/http_requests.hpp"
#include "watcher/drivers/http_runs.hpp"

namespace watcher {

// Why a switch did not go well.
struct HttpTrouble {
  std::string what;  // for people
  rules::StepStatus status = rules::StepStatus::failed;
};

// One switch: a run is asked for, once, looked for by its id, and waited for; then the application has to say that it
// runs the target. One that was asked for before our own end is looked for and not asked for again. References must
// outlive it.
class HttpSwitch {
 public:
  HttpSwitch(const HttpWorkflow& config, HttpRequests& requests, const HttpNotesFile& file, const probes::Clock& clock,
             SwitchRequest request);
  asio::awaitable<rules::StepResult> run();

 private:
  using MaybeTrouble = std::optional<HttpTrouble>;

  asio::awaitable<MaybeTrouble> work();
  asio::awaitable<MaybeTrouble> prepare();
  asio::awaitable<MaybeTrouble> look_at_earlier();
  asio::awaitable<MaybeTrouble> ask_for_run();
  asio::awaitable<MaybeTrouble> ask_once();
  asio::awaitable<bool> may_ask_again();
  asio::awaitable<MaybeTrouble> wait_for_run();
  asio::awaitable<void> look_for_run();
  asio::awaitable<MaybeTrouble> verify();
  asio::awaitable<bool> pause(rules::Duration length);
  MaybeTrouble verdict_of_run();
  MaybeTrouble note();
  HttpNames names() const;
  std::string where() const;
  std::string known_of_run() const;
  void story(const std::string& line);
  void keep_run();

  const HttpWorkflow& config_;
  HttpRequests& requests_;
  const HttpNotesFile& file_;
  const probes::Clock& clock_;
  SwitchRequest request_;
  rules::Instant deadline_;
  HttpNotes notes_;
  bool begun_ = false;                                // a run was asked for, or may have been: what was refused was not
  std::optional<rules::Duration> asked_again_after_;  // what a refusal said
  std::optional<HttpRun> run_;                        // as it was seen last
  bool has_looked_ = false;                           // the last look at the list of runs said what is in it
  std::string not_seen_;                              // else why it did not, for people
  HttpTrouble not_again_;                             // why what was refused is not asked again, for people
  rules::Instant began_;
  rules::Instant asked_;  // when the run was asked for, or looked for anew
  rules::StepResult result_;
};

}  // namespace watcher
