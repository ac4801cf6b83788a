#pragma once

#include <atomic>
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

// What a notifier can be, in the order in which they are told: filled into NotifierSection::kind.
std::span<const probes::Variety> notifier_types();
// Where it goes when the configuration does not say; empty: it has to.
std::string_view usual_url(const NotifierSection& notifier);
// For what begins and ends (PagerDuty, Alertmanager). Such a one is not told of `progress`, nor of what it could not be
// told the end of (`fault`).
bool is_alert(const NotifierSection& notifier);

// The result of one delivery.
struct Delivery {
  bool delivered = false;
  bool permanent = false;   // trying again will not help: 3xx, 4xx other than 408 and 429, SMTP's 5yz, a bad url
  bool is_dropped = false;  // not sent at all, since nobody need hear of it any more
  std::string error{};      // for people, without secrets
  std::optional<rules::Duration> retry_after{};  // what the receiver asked for
};

// Which of the notifiers are to be told: the addressee of a notify step, whatever its filters; otherwise those whose
// `on` and `severity` let it through; without an `on` everything but progress, and for alerts but fault. Who is told
// that something began is also told how it ended, and that it comes otherwise: `completed` in `on` lets `cleared`
// through, `blind` lets `seeing` through, `started` lets `late` through. A notify step without words of its own repeats
// what the stage's message says: who hears that anyway is not told twice. Nor is who was told of the cause by another
// message (`said_by`).
bool is_severe_enough(const rules::Tell& tell, const NotifierSection& notifier);
bool lets_through(const NotifierSection& notifier, rules::Stage stage);
std::vector<const NotifierSection*> recipients(const rules::Tell& tell, const std::vector<NotifierSection>& notifiers);

// The body that the notifier's type wants. With a template: the template with its fields (fields.hpp) replaced, put
// where the type wants a text. A template that is a JSON object, and every template of a webhook, is the body itself,
// but of a mail or an alert: its values are escaped to stand between the quotes of a JSON string. README.md in this
// folder has the formats.
std::string render(const rules::Tell& tell, const NotifierSection& notifier, const std::string& watcher_name);

inline constexpr rules::Duration delivery_limit = std::chrono::seconds(10);

// Delivers with libcurl, over HTTP or SMTP: no redirects, no proxy, certificates verified, at most `limit` for
// everything; of a mail three times as long until its server has it, and minutes until it says so. Blocks, so it is
// called in the delivery threads. The attempt's key is sent as Idempotency-Key, or is the mail's Message-ID.
// `is_hurried` (nullptr: never) may be set by another thread when nobody can wait for minutes any more.
Delivery deliver(const NotifierSection& notifier, const std::string& body, const Attempt& attempt,
                 rules::Duration limit = delivery_limit, const std::atomic<bool>* is_hurried = nullptr);

// When the next attempt is due after `attempts` failures: 5s, 10s, ... at most 5m apart; nullopt: given up (24 h).
std::optional<rules::Duration> retry_delay(int attempts);

}  // namespace watcher
