#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probes/key.hpp"
#include "rules/engine/commands.hpp"
#include "rules/incidents/plan.hpp"

namespace watcher {

using rules::Text;

// What is sent: a POST of the body to the url, or a mail.
struct Outgoing {
  std::string url;
  std::vector<std::string> headers;  // whole lines: of a POST, or before those of the mail in the body
  std::string body;
  struct Envelope {
    std::string from;  // addresses alone
    std::vector<std::string> to;
    std::string user;  // empty: without a login
    std::string password;
    bool starttls = true;  // refused to be sent in the clear
  };
  std::optional<Envelope> mail{};
};

// One message in all of its attempts, and when this one is made.
struct Attempt {
  std::string key;
  rules::Instant at;
};

// A message that is to be written as a notifier's service wants it.
struct Message {
  const rules::Tell& tell;
  const std::string& watcher_name;
  const std::string* text = nullptr;  // of a template, escaped: instead of the type's own words
};

// What a notifier can be. Each is in the file of its name in notify/ and has keys of its own, the body of a message,
// and how a template's values are kept from being taken for markup. Some also have: complete(), what belongs to one
// attempt or is no HTTP; usual_url, where it goes unless `url` says otherwise; is_alert, when it is for what begins and
// ends.

// Signed with `secret` as Standard Webhooks has it (https://www.standardwebhooks.com), where there is one.
struct WebhookNotifier {
  Text secret;

  static probes::Variety variety();
  std::string body(const Message& message) const;
  static std::string escaped(std::string_view value);
  void complete(Outgoing& out, const Attempt& attempt) const;
};

struct SlackNotifier {
  static probes::Variety variety();
  std::string body(const Message& message) const;
  static std::string escaped(std::string_view value);
};

struct DiscordNotifier {
  static probes::Variety variety();
  std::string body(const Message& message) const;
  static std::string escaped(std::string_view value);
  void complete(Outgoing& out, const Attempt& attempt) const;
};

struct TeamsNotifier {
  static probes::Variety variety();
  std::string body(const Message& message) const;
  static std::string escaped(std::string_view value);
};

struct EmailNotifier {
  std::string server;  // smtp://host:587
  std::string from;
  std::vector<std::string> to;
  std::string user;
  Text password;
  bool starttls = true;

  static probes::Variety variety();
  std::string body(const Message& message) const;
  static std::string escaped(std::string_view value);
  void complete(Outgoing& out, const Attempt& attempt) const;
};

struct PagerDutyNotifier {
  static constexpr bool is_alert = true;
  static constexpr std::string_view usual_url = "https://events.pagerduty.com/v2/enqueue";
  Text routing_key;

  static probes::Variety variety();
  std::string body(const Message& message) const;
  static std::string escaped(std::string_view value);
};

struct AlertmanagerNotifier {
  static constexpr bool is_alert = true;

  static probes::Variety variety();
  std::string body(const Message& message) const;
  static std::string escaped(std::string_view value);
  void complete(Outgoing& out, const Attempt& attempt) const;
};

using NotifierKind = std::variant<WebhookNotifier, SlackNotifier, DiscordNotifier, TeamsNotifier, EmailNotifier,
                                  PagerDutyNotifier, AlertmanagerNotifier>;

struct NotifierSection {
  rules::NotifierName name;
  NotifierKind kind;
  Text url;
  std::map<std::string, Text> headers;
  std::vector<std::string> on;              // stages; empty: all but progress, or what the kind is for
  std::vector<rules::Severity> severities;  // empty: all
  std::optional<rules::Duration> after;     // escalation: only for what is still open then
  std::optional<rules::Duration> every;     // repeats progress
  std::string template_text;                // empty: the built-in one
};

}  // namespace watcher
