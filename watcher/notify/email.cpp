#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "probes/key_rows.hpp"
#include "rules/sustain/rule_spec.hpp"
#include "watcher/config/notifier.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/notify/base64.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/visible.hpp"

// A mail as RFC 5322 and 2045 have it; libcurl speaks SMTP (deliver.cpp).

namespace watcher {

namespace {

using probes::key;
using probes::Kind;

constexpr std::size_t subject_max = 200;
constexpr std::size_t encoded_line = 76;  // letters: RFC 2045
constexpr std::size_t word_bytes = 42;    // of an encoded word, which may have 75 letters: RFC 2047

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// The address in `Ops <ops@example.com>`, or the whole.
std::string address_of(const std::string& mailbox) {
  const std::size_t open = mailbox.rfind('<');
  if (open == std::string::npos || !mailbox.ends_with('>')) return mailbox;
  return mailbox.substr(open + 1, mailbox.size() - open - 2);
}

std::string wrong_mailbox(const std::string& mailbox) {
  const std::string address = address_of(mailbox);
  const std::size_t at = address.find('@');
  const bool has_other = address.find_first_of(" <>,;\"()\\") != std::string::npos || !is_plain(mailbox);
  if (at != std::string::npos && at > 0 && at + 1 < address.size() && at == address.rfind('@') && !has_other) return {};
  return "is no mail address; write it as \"ops@example.com\" or \"Ops <ops@example.com>\"";
}

std::string wrong_server(const std::string& server) {
  const bool has_scheme = server.starts_with("smtp://") || server.starts_with("smtps://");
  if (!has_scheme || server.find("//") + 2 == server.size() || !is_plain(server))
    return "must be smtp://HOST:PORT, or smtps://HOST for TLS from the start";
  if (server.find('@') != std::string::npos) return "must not have a login in it; write user and password";
  return {};
}

// As encoded words where it has other than ASCII; none is cut within a character.
std::string header_text(const std::string& text) {
  if (is_plain(text)) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + word_bytes, text.size());
    while (end > at && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    out += (out.empty() ? "" : "\r\n ") + ("=?UTF-8?B?" + to_base64(text.substr(at, end - at)) + "?=");
    at = end;
  }
  return out;
}

std::string date_text(rules::Instant at) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), "%s, %02d %s %04d %02d:%02d:%02d +0000",
                days.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                months.at(static_cast<std::size_t>(utc.tm_mon)), 1900 + utc.tm_year, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return out.data();
}

std::string lines_of(const std::string& encoded) {
  std::string out;
  for (std::size_t at = 0; at < encoded.size(); at += encoded_line) out += encoded.substr(at, encoded_line) + "\r\n";
  return out;
}

std::string text_of(const rules::Tell& tell, const std::string& watcher_name) {
  std::string out = visible(tell.title) + "\n\n";
  if (!tell.text.empty()) out += visible(tell.text) + "\n\n";
  std::size_t width = 0;
  for (const Fact& fact : facts(tell)) width = std::max(width, fact.name.size());
  for (const Fact& fact : facts(tell))
    out += fact.name + ":" + std::string(width - fact.name.size() + 1, ' ') + fact.value + "\n";
  return out + "\n-- \n" + origin_line(tell, watcher_name) + "\n";
}

// What an id may have: no angle bracket, space or @ of its own.
std::string id_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool fits =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
    out += fits ? c : '-';
  }
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

constexpr std::array keys{
    key<Kind::string, &EmailNotifier::server>("server", "The mail server, as smtp://HOST:PORT or smtps://HOST.")
        .checked(wrong_server)
        .required("write server = \"smtp://mail.example.com:587\""),
    key<Kind::string, &EmailNotifier::from>("from", "From whom the mails are.")
        .checked(wrong_mailbox)
        .required("write from = \"rollbackd@example.com\""),
    key<Kind::strings, &EmailNotifier::to>("to", "To whom they go.")
        .checked(wrong_mailbox)
        .required("write to = [\"ops@example.com\"]"),
    key<Kind::string, &EmailNotifier::user>("user", "Who logs in to the server.").when_left_out("nobody"),
    key<Kind::text, &EmailNotifier::password>("password", "The password of user."),
    key<Kind::flag, &EmailNotifier::starttls>(
        "starttls", "With smtp://: whether the mail is only sent when the connection could be encrypted."),
};

void settle(void* object, probes::Given& given) {
  const auto& mail = *static_cast<const EmailNotifier*>(object);
  if (given.has("to") && mail.to.empty()) given.error("to", "is empty; write to = [\"ops@example.com\"]");
  if (given.has("password") && mail.password.value.empty()) given.error("password", "is empty");
  if (given.has("password") && !given.has("user")) given.missing("user", "a password needs to know whose it is");
  if (given.has("url")) given.error("url", "is not of a mail; write server = \"smtp://mail.example.com:587\"");
  if (!mail.user.empty() && !mail.starttls && mail.server.starts_with("smtp://"))
    given.error("starttls", "must be true with a user: the password would go over the network in the clear");
}

}  // namespace

std::string EmailNotifier::body(const Message& message) const {
  const rules::Tell& tell = message.tell;
  const std::string text = message.text != nullptr ? *message.text : text_of(tell, message.watcher_name);
  std::string out;
  const auto header = [&out](const char* name, const std::string& value) {
    out += std::string(name) + ": " + value + "\r\n";
  };
  header("Date", date_text(tell.at));
  header("From", from);
  header("To", joined(to));
  header("Subject", header_text(headline(tell, subject_max)));
  // One thread for an incident.
  if (!tell.context.incident.empty())
    header("References", "<" + id_of(tell.context.incident.text) + "@" + id_of(message.watcher_name) + ".rollbackd>");
  header("Auto-Submitted", "auto-generated");
  if (tell.context.severity <= rules::Severity::p1 && !is_over(tell)) header("Importance", "high");
  header("MIME-Version", "1.0");
  header("Content-Type", "text/plain; charset=utf-8");
  header("Content-Transfer-Encoding", "base64");
  return out + "\r\n" + lines_of(to_base64(text));
}

std::string EmailNotifier::escaped(std::string_view value) { return visible(value); }

void EmailNotifier::complete(Outgoing& out, const Attempt& attempt) const {
  const std::string sender = address_of(from);
  // The same in every attempt, so that a server or reader that has it already can tell.
  out.body = "Message-ID: <" + id_of(attempt.key) + sender.substr(sender.find('@')) + ">\r\n" + out.body;
  out.url = server;
  std::vector<std::string> addresses;
  for (const std::string& mailbox : to) addresses.push_back(address_of(mailbox));
  out.mail = Outgoing::Envelope{sender, std::move(addresses), user, password.value, starttls};
}

probes::Variety EmailNotifier::variety() {
  return probes::variety<NotifierKind, EmailNotifier>("email", "Mails over SMTP.", keys, settle);
}

}  // namespace watcher
