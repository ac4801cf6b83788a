#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "config_files.hpp"
#include "journal_support.hpp"
#include "notify_receiver.hpp"
#include "watcher/notify/base64.hpp"
#include "watcher/notify/notifiers.hpp"

using journal_support::contains;
using notify_receiver::body_of;
using notify_receiver::Receiver;
namespace json = boost::json;

namespace {

rules::Tell tell(rules::Stage stage) {
  rules::Tell tell;
  tell.stage = stage;
  tell.context.service = rules::ServiceName("web");
  tell.context.rule = rules::RuleName("errors");
  tell.context.incident = rules::IncidentId("20261121-020304-web-errors");
  tell.context.severity = rules::Severity::p1;
  tell.context.from = rules::Revision("v2");
  tell.title = "web: errors @everyone *12 %*";
  tell.text = "line one\nline <two>";
  tell.explanation.runbook = "https://wiki/web";
  tell.at = rules::from_unix_seconds(1795226584);
  tell.opened = tell.at;
  return tell;
}

watcher::NotifierSection section(watcher::NotifierKind kind) {
  watcher::NotifierSection out;
  out.name = rules::NotifierName("x");
  out.kind = std::move(kind);
  return out;
}

std::string body(const rules::Tell& tell, watcher::NotifierKind kind) {
  return watcher::render(tell, section(std::move(kind)), "prod-1");
}

json::value body_json(const rules::Tell& tell, watcher::NotifierKind kind) {
  return json::parse(body(tell, std::move(kind)));
}

watcher::EmailNotifier mail() {
  watcher::EmailNotifier out;
  out.server = "smtp://127.0.0.1:25";
  out.from = "Rollbackd <rollbackd@example.com>";
  out.to = {"ops@example.com", "Lead <lead@example.com>"};
  return out;
}

// What a mail says: the part after the empty line, without its encoding.
std::string text_of(const std::string& mail) {
  std::string encoded;
  for (const char c : mail.substr(mail.find("\r\n\r\n") + 4))
    if (c != '\r' && c != '\n') encoded += c;
  return watcher::from_base64(encoded).value_or("no base64");
}

}  // namespace

TEST_CASE("a Discord message is an embed within Discord's limits, in which nothing is markup and nobody is pinged") {
  const json::value plain = body_json(tell(rules::Stage::started), watcher::DiscordNotifier{});
  const json::value& embed = plain.at("embeds").at(0);
  CHECK(embed.at("title") == "\\[P1\\] web: errors \\@everyone \\*12 %\\*");
  CHECK(embed.at("description") == "line one\nline \\<two\\>");
  CHECK(embed.at("timestamp") == "2026-11-21T02:03:04.000Z");
  auto long_one = tell(rules::Stage::completed);
  long_one.title = std::string(5000, '*');
  long_one.text = std::string(50000, '*');
  const json::value cut = body_json(long_one, watcher::DiscordNotifier{}).at("embeds").at(0);
  CHECK(cut.at("title").as_string().size() <= 256);
  CHECK(cut.at("description").as_string().size() <= 4096);
  CHECK(cut.at("description").as_string().ends_with("\\*…"));
  CHECK(cut.at("color") != embed.at("color"));
}

TEST_CASE("nobody is pinged by what a target said, in a template that is the body neither") {
  const Receiver receiver([](const std::string&) { return notify_receiver::status("204 No Content"); });
  for (const char* pattern : {"", "{title}", R"({"content": "{title}"})"}) {
    watcher::NotifierSection chat = section(watcher::DiscordNotifier{});
    chat.url = {.value = receiver.url(), .secret = true};
    chat.template_text = pattern;
    CHECK(watcher::deliver(chat, watcher::render(tell(rules::Stage::started), chat, "prod-1"), {"k", {}}).delivered);
    const json::value sent = json::parse(body_of(receiver.requests().back()));
    CHECK(sent.at("allowed_mentions").at("parse").as_array().empty());
  }
}

TEST_CASE("a Teams message is an Adaptive Card whose lines stay lines") {
  const json::value card = body_json(tell(rules::Stage::failed), watcher::TeamsNotifier{});
  CHECK(card.at("type") == "message");
  const json::value& attachment = card.at("attachments").at(0);
  CHECK(attachment.at("contentType") == "application/vnd.microsoft.card.adaptive");
  const json::value& blocks = attachment.at("content").at("body");
  CHECK(blocks.at(0).at("text") == "\\[P1\\] web: errors @everyone \\*12 %\\*");
  CHECK(blocks.at(0).at("color") == "Attention");
  CHECK(blocks.at(1).at("text") == "line one\n\nline <two>");
  CHECK(blocks.at(2).at("facts").at(0).at("value") == "web");
}

TEST_CASE("a PagerDuty alert is triggered by what began and resolved by what is over, under one key") {
  const watcher::PagerDutyNotifier kind{{.value = "R0UT1NG", .secret = true}};
  for (const auto stage : {rules::Stage::started, rules::Stage::ask, rules::Stage::late, rules::Stage::failed}) {
    const json::value event = body_json(tell(stage), kind);
    CHECK(event.at("event_action") == "trigger");
    CHECK(event.at("dedup_key") == "prod-1/20261121-020304-web-errors");
  }
  for (const auto stage : {rules::Stage::completed, rules::Stage::cleared}) {
    CHECK(body_json(tell(stage), kind).at("event_action") == "resolve");
  }
  const json::value event = body_json(tell(rules::Stage::started), kind);
  CHECK(event.at("routing_key") == "R0UT1NG");
  CHECK(event.at("payload").at("severity") == "error");
  CHECK(event.at("payload").at("source") == "prod-1");
  CHECK(event.at("payload").at("component") == "web");
  CHECK(event.at("links").at(0).at("href") == "https://wiki/web");
  auto blind = tell(rules::Stage::blind);
  blind.context.incident = {};
  auto seeing = tell(rules::Stage::seeing);
  seeing.context.incident = {};
  CHECK(body_json(blind, kind).at("dedup_key") == body_json(seeing, kind).at("dedup_key"));
  CHECK(body_json(seeing, kind).at("event_action") == "resolve");
}

TEST_CASE("an Alertmanager alert is active until it is over, in one severity alone") {
  const json::value begun = body_json(tell(rules::Stage::started), watcher::AlertmanagerNotifier{});
  const json::value over = body_json(tell(rules::Stage::completed), watcher::AlertmanagerNotifier{});
  REQUIRE(begun.as_array().size() == 1);
  CHECK(begun.at(0).at("labels").at("severity") == "P1");
  CHECK(begun.at(0).at("endsAt") == "2026-11-22T03:03:04.000Z");
  REQUIRE(over.as_array().size() == 1);
  CHECK(over.at(0).at("labels") == begun.at(0).at("labels"));
  CHECK(over.at(0).at("endsAt") == "2026-11-21T02:03:04.000Z");
  CHECK(begun.at(0).at("labels").at("service") == "web");
  CHECK(begun.at(0).at("annotations").at("runbook_url") == "https://wiki/web");
  auto worse = tell(rules::Stage::late);
  worse.context.severity = rules::Severity::p0;
  const json::value instead = body_json(worse, watcher::AlertmanagerNotifier{});
  REQUIRE(instead.as_array().size() == 4);
  CHECK(instead.at(0).at("labels").at("severity") == "P0");
  CHECK(instead.at(1).at("labels") == begun.at(0).at("labels"));
  CHECK(instead.at(1).at("endsAt") == "2026-11-21T02:03:04.000Z");
}

TEST_CASE("an alert ends whatever the filters of who may have heard of it, and by nothing but its end") {
  watcher::NotifierSection pages = section(watcher::PagerDutyNotifier{});
  pages.on = {"ask"};
  pages.severities = {rules::Severity::p0};
  const auto is_told = [&](const rules::Tell& tell) { return !watcher::recipients(tell, {pages}).empty(); };
  CHECK_FALSE(is_told(tell(rules::Stage::started)));
  CHECK_FALSE(is_told(tell(rules::Stage::ask)));  // P1
  CHECK(is_told(tell(rules::Stage::completed)));
  CHECK(is_told(tell(rules::Stage::cleared)));
  CHECK_FALSE(is_told(tell(rules::Stage::failed)));
  auto aborted = tell(rules::Stage::failed);
  aborted.outcome = rules::Outcome::aborted;
  CHECK(is_told(aborted));
  CHECK_FALSE(is_told(tell(rules::Stage::seeing)));
  auto later = tell(rules::Stage::completed);
  later.is_news = true;
  CHECK_FALSE(is_told(later));
  pages.on = {"blind"};
  CHECK(is_told(tell(rules::Stage::seeing)));
  pages.on.clear();
  pages.severities.clear();
  CHECK(is_told(tell(rules::Stage::started)));
  for (const auto stage : {rules::Stage::blind, rules::Stage::seeing, rules::Stage::fault, rules::Stage::progress})
    CHECK_FALSE(is_told(tell(stage)));
}

TEST_CASE("a mail has its headers, its text in base64, and one thread for an incident") {
  const std::string text = body(tell(rules::Stage::started), mail());
  CHECK(contains(text, "Date: Sat, 21 Nov 2026 02:03:04 +0000\r\n"));
  CHECK(contains(text, "From: Rollbackd <rollbackd@example.com>\r\n"));
  CHECK(contains(text, "To: ops@example.com, Lead <lead@example.com>\r\n"));
  CHECK(contains(text, "Subject: [P1] web: errors @everyone *12 %*\r\n"));
  CHECK(contains(text, "References: <20261121-020304-web-errors@prod-1.rollbackd>\r\n"));
  CHECK(contains(text, "Auto-Submitted: auto-generated\r\n"));
  CHECK(contains(text_of(text), "line one\nline <two>\n"));
  CHECK(contains(text_of(text), "Service: web\n"));
  for (std::size_t at = 0, end = 0; (end = text.find("\r\n", at)) != std::string::npos; at = end + 2) {
    CHECK(end - at <= 78);
  }
}

TEST_CASE("a subject that is no ASCII is cut into words that are whole, and no line of it can be a header") {
  auto message = tell(rules::Stage::started);
  message.title = "";
  for (int i = 0; i < 40; ++i) message.title += "ü€";
  message.title += "\r\nBcc: all@example.com";
  const std::string text = body(message, mail());
  const std::string subject = text.substr(text.find("Subject: "), text.find("\r\nReferences") - text.find("Subject: "));
  CHECK(contains(subject, "=?UTF-8?B?"));
  CHECK_FALSE(contains(text.substr(0, text.find("\r\n\r\n")), "\r\nBcc"));
  std::string whole;
  for (std::size_t at = subject.find("?B?"); at != std::string::npos; at = subject.find("?B?", at + 1)) {
    const std::string word = watcher::from_base64(subject.substr(at + 3, subject.find("?=", at) - at - 3)).value_or("");
    CHECK((static_cast<unsigned char>(word.front()) & 0xC0) != 0x80);
    whole += word;
  }
  CHECK(whole.starts_with("[P1] ü€ü€"));
}

TEST_CASE("a template is the text of a mail, of a card and of an alert") {
  const auto with = [](watcher::NotifierKind kind) {
    watcher::NotifierSection out = section(std::move(kind));
    out.template_text = "{service} is {stage}";
    return watcher::render(tell(rules::Stage::started), out, "prod-1");
  };
  CHECK(text_of(with(mail())) == "web is started");
  CHECK(json::parse(with(watcher::DiscordNotifier{})).at("content") == "web is started");
  CHECK(json::parse(with(watcher::PagerDutyNotifier{})).at("payload").at("summary") == "web is started");
  CHECK(json::parse(with(watcher::AlertmanagerNotifier{})).at(0).at("annotations").at("description") ==
        "web is started");
  CHECK(contains(with(watcher::TeamsNotifier{}), "web is started"));
}

// The example of the specification, https://github.com/standard-webhooks/standard-webhooks.
TEST_CASE("a webhook with a secret is signed as Standard Webhooks has it") {
  const Receiver receiver([](const std::string&) { return notify_receiver::status("204 No Content"); });
  watcher::NotifierSection hook =
      section(watcher::WebhookNotifier{{.value = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", .secret = true}});
  hook.url = {.value = receiver.url(), .secret = true};
  const auto sent = watcher::deliver(hook, R"({"test": 2432232314})",
                                     {"msg_p5jXN8AQM9LWM0D4loKWxJek", rules::from_unix_seconds(1614265330)});
  CHECK(sent.delivered);
  REQUIRE(receiver.requests().size() == 1);
  const std::string request = receiver.requests()[0];
  CHECK(contains(request, "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\n"));
  CHECK(contains(request, "webhook-timestamp: 1614265330\r\n"));
  CHECK(contains(request, "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"));
  CHECK(body_of(request) == R"({"test": 2432232314})");
}

TEST_CASE("Alertmanager's url may be with or without the path of its API") {
  for (const char* path : {"", "/", "/api/v2/alerts"}) {
    const Receiver receiver([](const std::string&) { return notify_receiver::status("200 OK"); });
    watcher::NotifierSection alerts = section(watcher::AlertmanagerNotifier{});
    alerts.url = {.value = receiver.url(path), .secret = false};
    CHECK(watcher::deliver(alerts, "[]", {"k", {}}).delivered);
    CHECK(receiver.requests().at(0).starts_with("POST /api/v2/alerts HTTP/1.1\r\n"));
  }
}

TEST_CASE("what a notifier needs has to be there") {
  CHECK(contains(findings_beside_service("[notify.x]\ntype = 'discord'\n"), "url is missing"));
  CHECK(contains(findings_beside_service("[notify.x]\ntype = 'webhook'\nurl = 'http://x/'\nsecret = 'whsec_a!b'\n"),
                 "is no base64 behind whsec_"));
  CHECK(
      contains(findings_beside_service("[notify.x]\ntype = 'webhook'\nurl = 'http://x/'\nsecret = ''\n"), "is empty"));
  CHECK(contains(findings_beside_service("[notify.x]\ntype = 'pagerduty'\nrouting_key = ''\n"), "is empty"));
  CHECK(
      contains(findings_beside_service("[notify.x]\ntype = 'alertmanager'\nurl = 'http://x/'\nevery = '2d'\n"), "1d"));
  CHECK(contains(findings_beside_service("[notify.x]\ntype = 'alertmanager'\nurl = 'http://x/?y=1'\n"), "own"));
  CHECK(contains(findings_beside_service("[notify.x]\ntype = 'pagerduty'\n"), "routing_key is missing"));
  CHECK(findings_beside_service("[notify.x]\ntype = 'pagerduty'\nrouting_key = 'k'\n").empty());
  const std::string mail = "[notify.x]\ntype = 'email'\nserver = 'smtp://h:587'\nfrom = 'a@b.c'\nto = ['d@e.f']\n";
  CHECK(findings_beside_service(mail).empty());
  CHECK(contains(findings_beside_service(mail + "url = 'http://x/'\n"), "is not of a mail"));
  CHECK(contains(findings_beside_service(mail + "password = 'x'\n"), "user is missing"));
  CHECK(contains(findings_beside_service(mail + "user = 'u'\nstarttls = false\n"), "in the clear"));
  CHECK(contains(findings_beside_service("[notify.x]\ntype = 'email'\nserver = 'mail'\nfrom = 'a'\nto = []\n"),
                 "is no mail address"));
  CHECK(contains(findings_beside_service(
                     "[notify.x]\ntype = 'alertmanager'\nurl = 'http://127.0.0.1:9093'\non = ['fault', 'started']\n"),
                 "begins or ends no alert"));
}
