#include <cstdlib>

#include "journal_support.hpp"
#include "notify_receiver.hpp"
#include "watcher/notify/notifiers.hpp"

using namespace notify_receiver;
using journal_support::contains;
using namespace std::chrono_literals;

namespace {

watcher::NotifierSection notifier(const std::string& url) {
  watcher::NotifierSection section;
  section.name = rules::NotifierName("team");
  section.url = {.value = url, .secret = true};
  return section;
}

watcher::Delivery answered(const std::string& answer) {
  const Receiver receiver([&](const std::string&) { return answer; });
  return watcher::deliver(notifier(receiver.url()), "{}", {"key-1", {}});
}

}  // namespace

TEST_CASE("a delivery posts the body as JSON with its idempotency key and the notifier's headers") {
  const Receiver receiver([](const std::string&) { return status("204 No Content"); });
  auto section = notifier(receiver.url("/hook?a=b"));
  section.headers["Authorization"] = {.value = "Bearer s3cret-token", .secret = true};
  const auto delivery = watcher::deliver(section, R"({"a":1})", {"key-1", {}});
  CHECK(delivery.delivered);
  CHECK(delivery.error.empty());
  REQUIRE(receiver.requests().size() == 1);
  const std::string request = receiver.requests()[0];
  CHECK(contains(request, "POST /hook?a=b HTTP/1.1\r\n"));
  CHECK(contains(request, "Content-Type: application/json\r\n"));
  CHECK(contains(request, "Idempotency-Key: key-1\r\n"));
  CHECK(contains(request, "Authorization: Bearer s3cret-token\r\n"));
  CHECK(body_of(request) == R"({"a":1})");
}

TEST_CASE("a receiver's 5xx, 408 and 429 are tried again, other 4xx and redirects are not") {
  struct Case {
    const char* status;
    bool permanent;
  };
  for (const Case& each : {Case{"500 Internal Server Error", false}, Case{"503 Service Unavailable", false},
                           Case{"408 Request Timeout", false}, Case{"429 Too Many Requests", false},
                           Case{"404 Not Found", true}, Case{"401 Unauthorized", true}, Case{"302 Found", true}}) {
    CAPTURE(each.status);
    const auto delivery = answered(status(each.status));
    CHECK_FALSE(delivery.delivered);
    CHECK(delivery.permanent == each.permanent);
    CHECK(contains(delivery.error, std::string("status ") + std::string(each.status).substr(0, 3)));
    CHECK_FALSE(delivery.retry_after);
  }
}

TEST_CASE("Retry-After is heeded, up to an hour") {
  CHECK(answered(status("429 Too Many Requests", "Retry-After: 17\r\n")).retry_after == rules::Duration(17s));
  CHECK(answered(status("503 Service Unavailable", "Retry-After: 999999\r\n")).retry_after == rules::Duration(1h));
  CHECK_FALSE(answered(status("429 Too Many Requests", "Retry-After: soon\r\n")).retry_after);
}

TEST_CASE("a redirect is not followed") {
  const Receiver other([](const std::string&) { return status("200 OK"); });
  const auto delivery = answered(status("307 Temporary Redirect", "Location: " + other.url() + "\r\n"));
  CHECK_FALSE(delivery.delivered);
  CHECK(contains(delivery.error, "redirects are not followed"));
  CHECK(other.requests().empty());
}

TEST_CASE("a receiver that drops the connection, refuses it or never answers is tried again") {
  const auto dropped = answered("");
  CHECK_FALSE(dropped.delivered);
  CHECK_FALSE(dropped.permanent);
  std::string gone;
  {
    const Receiver receiver([](const std::string&) { return std::string(); });
    gone = receiver.url();
  }
  const auto refused = watcher::deliver(notifier(gone), "{}", {"k", {}});
  CHECK_FALSE(refused.delivered);
  CHECK_FALSE(refused.permanent);
  const Receiver hung([](const std::string&) { return std::string("hang"); });
  const auto timed_out = watcher::deliver(notifier(hung.url()), "{}", {"k", {}}, 100ms);
  CHECK_FALSE(timed_out.delivered);
  CHECK_FALSE(timed_out.permanent);
  CHECK(contains(timed_out.error, "Timeout"));
}

TEST_CASE("an answer that never ends is cut off, and its status counts") {
  const auto ok = answered(status("200 OK", "", std::string(1024 * 1024, 'x')));
  CHECK(ok.delivered);
  const auto bad = answered(status("500 Oops", "", std::string(1024 * 1024, 'x')));
  CHECK_FALSE(bad.delivered);
  CHECK(bad.error.size() < 300);
}

TEST_CASE("an address that no delivery can reach is given up at once") {
  CHECK(watcher::deliver(notifier("ftp://127.0.0.1/x"), "{}", {"k", {}}).permanent);
  CHECK(watcher::deliver(notifier("file:///etc/passwd"), "{}", {"k", {}}).permanent);
  CHECK(watcher::deliver(notifier("no address"), "{}", {"k", {}}).permanent);
  auto section = notifier("http://127.0.0.1:1/");
  section.headers["X-A"] = {.value = "a\r\nX-B: b"};
  const auto delivery = watcher::deliver(section, "{}", {"k", {}});
  CHECK(delivery.permanent);
  CHECK(contains(delivery.error, "X-A has a line break"));
}

TEST_CASE("the environment's proxy is not used") {
  const Receiver receiver([](const std::string&) { return status("200 OK"); });
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  const auto delivery = watcher::deliver(notifier(receiver.url()), "{}", {"k", {}});
  ::unsetenv("http_proxy");
  CHECK(delivery.delivered);
}

TEST_CASE("no error of a delivery names a secret, even when the receiver says it back") {
  const auto echo = [](const std::string& request) { return status("400 Bad Request", "", request); };
  const Receiver receiver(echo);
  for (const bool declared : {true, false}) {
    CAPTURE(declared);
    auto section = notifier(receiver.url("/services/T000/B000/s3cret-path"));
    section.url.secret = declared;
    section.headers["Authorization"] = {.value = "Bearer s3cret-token", .secret = true};
    const auto delivery = watcher::deliver(section, "{}", {"k", {}});
    CHECK(contains(delivery.error, "status 400"));
    CHECK_FALSE(contains(delivery.error, "s3cret"));
    section.url.value = "http://user:s3cret-pass@127.0.0.1:1/services/s3cret-path";
    CHECK_FALSE(contains(watcher::deliver(section, "{}", {"k", {}}).error, "s3cret"));
    section.url.value = "s3cret nonsense";
    CHECK_FALSE(contains(watcher::deliver(section, "{}", {"k", {}}).error, "s3cret"));
  }
}

TEST_CASE("a secret that is part of the word put in its place ends the redaction all the same") {
  const Receiver receiver([](const std::string& request) { return status("400 Bad Request", "", request); });
  auto section = notifier(receiver.url());
  section.headers["X-Key"] = {.value = "acted", .secret = true};
  CHECK(contains(watcher::deliver(section, "acted", {"k", {}}).error, "status 400"));
}

TEST_CASE("attempts are due after 5s, 10s, 20s, then every 5m, and given up after a day") {
  CHECK(watcher::retry_delay(1) == rules::Duration(5s));
  CHECK(watcher::retry_delay(2) == rules::Duration(10s));
  CHECK(watcher::retry_delay(3) == rules::Duration(20s));
  CHECK(watcher::retry_delay(20) == rules::Duration(5min));
  rules::Duration total{};
  int attempts = 1;
  while (const auto delay = watcher::retry_delay(attempts)) {
    total += *delay;
    ++attempts;
  }
  CHECK(total <= rules::Duration(24h));
  CHECK(total > rules::Duration(23h));
}
