#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/engine/commands.hpp"
#include "watcher/config/config.hpp"

namespace probes {
struct Variety;
}

namespace watcher {

// A type of notifier: its word in the configuration, and the body of a message as it wants it.
struct NotifierType {
  std::string_view word;
  std::string_view doc;
  std::string (*body)(const rules::Tell& tell, const std::string& watcher_name) = nullptr;
};

// Each in the file of its name.
extern const NotifierType slack;
extern const NotifierType webhook;

// What a notifier can be, and the words of the contract for what this version has not; filled into NotifierSection.
std::span<const probes::Variety> notifier_types();

// The result of one delivery.
struct Delivery {
  bool delivered = false;
  bool permanent = false;  // trying again will not help: 3xx, 4xx other than 408 and 429, a bad url
  std::string error{};     // for people, without secrets
  std::optional<rules::Duration> retry_after{};  // what the receiver asked for
};

// Which of the notifiers are to be told: the addressee of a notify step, whatever its filters; otherwise those whose
// `on` and `severity` let it through. Who is told that something began is also told how it ended: `completed` in `on`
// lets `cleared` through, `blind` lets `seeing` through.
std::vector<const NotifierSection*> recipients(const rules::Tell& tell, const std::vector<NotifierSection>& notifiers);

// The body that the notifier's type wants, as JSON. With a template: the template with {service} {rule} {severity}
// {from} {to} {value} {threshold} {stage} {outcome} {incident} {watcher} {title} {text} {time} replaced, each escaped
// to stand between the quotes of a JSON string; any other brace stays as it is. README.md in this folder has the
// formats.
std::string render(const rules::Tell& tell, const NotifierSection& notifier, const std::string& watcher_name);

inline constexpr rules::Duration delivery_limit = std::chrono::seconds(10);

// Delivers with libcurl: no redirects, no proxy, certificates verified, at most `limit` for everything. Blocks, so it
// is called in the delivery threads. `key` is sent as Idempotency-Key.
Delivery deliver(const NotifierSection& notifier, const std::string& body, const std::string& key,
                 rules::Duration limit = delivery_limit);

// When the next attempt is due after `attempts` failures: 5s, 10s, ... at most 5m apart; nullopt: given up (24 h).
std::optional<rules::Duration> retry_delay(int attempts);

}  // namespace watcher
