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
  // Where a template is a text and not the body: what a value in it must not be taken for markup by, and the body with
  // the text where the service wants it. nullptr: a template is the body.
  std::string (*escaped)(std::string_view value) = nullptr;
  std::string (*from_text)(const std::string& text) = nullptr;
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
// `on` and `severity` let it through; without an `on` everything but progress. Who is told that something began is also
// told how it ended, and that it comes otherwise: `completed` in `on` lets `cleared` through, `blind` lets `seeing`
// through, `started` lets `late` through. A notify step without words of its own repeats what the stage's message says:
// who hears that anyway is not told twice. Nor is who was told of the cause by another message (`said_by`).
bool is_severe_enough(const rules::Tell& tell, const NotifierSection& notifier);
bool lets_through(const NotifierSection& notifier, rules::Stage stage);
std::vector<const NotifierSection*> recipients(const rules::Tell& tell, const std::vector<NotifierSection>& notifiers);

// The body that the notifier's type wants, as JSON. With a template: the template with its fields (fields.hpp)
// replaced, put where the type wants a text. A template that is a JSON object, and every template of a webhook, is the
// body itself: its values are escaped to stand between the quotes of a JSON string. README.md in this folder has the
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
