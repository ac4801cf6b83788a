#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rules/engine/commands.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

// The result of one delivery.
struct Delivery {
  bool delivered = false;
  bool permanent = false;                       // trying again will not help (4xx other than 408 and 429)
  std::string error;                            // for people, without secrets
  std::optional<rules::Duration> retry_after;   // what the receiver asked for
};

// Which of the notifiers are to be told, by `on`, `severity` and the addressee of a notify step.
std::vector<const NotifierSection*> recipients(const rules::Tell& tell, const std::vector<NotifierSection>& notifiers);

// The body that the notifier's type wants (JSON for webhook and slack), from its template.
std::string render(const rules::Tell& tell, const NotifierSection& notifier, const std::string& watcher_name);

// Delivers with libcurl; blocks, so it is called in the delivery threads. `key` is sent as an idempotency key.
Delivery deliver(const NotifierSection& notifier, const std::string& body, const std::string& key);

// When the next attempt is due after `attempts` failures: 5s, 10s, ... at most 5m apart; nullopt: given up (24 h).
std::optional<rules::Duration> retry_delay(int attempts);

}  // namespace watcher
