#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "rules/base/names.hpp"
#include "rules/base/poll.hpp"
#include "rules/base/time.hpp"
#include "rules/engine/view.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// Our own metrics (SPEC section 5), as Prometheus scrapes them. What is so now comes from the engine's view at each
// scrape; what happened is counted here. To be used from the loop's thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void observe_poll(const rules::Poll& poll);
  void observe_loop_lag(rules::Duration lag);
  // An incident that has been closed: its outcome, whether it rolled back, how long its action took.
  void count_incident(const rules::IncidentRecord& closed);
  // `outcome` is one of few words: "delivered", "failed", "given_up".
  void count_notification(const rules::NotifierName& notifier, std::string_view outcome);
  void set_reload_successful(bool successful);

  // The page. What is unknown has no series rather than a wrong value.
  std::string text(const rules::EngineView& view);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace watcher
