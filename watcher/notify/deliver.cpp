#include <algorithm>
#include <chrono>
#include <memory>

#include "watcher/notify/curl_library.hpp"
#include "watcher/notify/mail_patience.hpp"
#include "watcher/notify/notifiers.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr long connect_limit_ms = 5000;
constexpr int mail_patience = 3;               // times that of a POST
constexpr std::size_t answer_max = 64 * 1024;  // bytes read of an answer: more is no answer to a message
constexpr std::size_t answer_shown_max = 200;  // bytes of it in an error
constexpr rules::Duration retry_first = seconds(5);
constexpr rules::Duration retry_most = minutes(5);
constexpr rules::Duration retry_total = hours(24);
constexpr rules::Duration retry_after_most = hours(1);  // a receiver does not silence us for longer

struct Cleanup {
  void operator()(CURL* handle) const { curl_library().cleanup(handle); }
  void operator()(curl_slist* list) const { curl_library().free_all(list); }
};
using Handle = std::unique_ptr<CURL, Cleanup>;
using Headers = std::unique_ptr<curl_slist, Cleanup>;

std::size_t take_answer(char* data, std::size_t, std::size_t length, void* answer) {
  auto& text = *static_cast<std::string*>(answer);
  if (text.size() + length > answer_max) return 0;  // ends the transfer with an error
  text.append(data, length);
  return length;
}

bool fits_header(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void append(Headers& headers, const std::string& line) {
  curl_slist* list = curl_library().append(headers.get(), line.c_str());
  if (list == nullptr) return;
  static_cast<void>(headers.release());
  headers.reset(list);
}

Headers http_headers(const NotifierSection& notifier, const Outgoing& out, const std::string& key) {
  Headers headers;
  append(headers, "Content-Type: application/json");
  append(headers, "Idempotency-Key: " + key);
  append(headers, "Expect:");  // no waiting for 100 Continue
  for (const std::string& line : out.headers) append(headers, line);
  for (const auto& [name, value] : notifier.headers) append(headers, name + ": " + value.value);
  return headers;
}

Outgoing outgoing_of(const NotifierSection& notifier, const std::string& body, const Attempt& attempt) {
  Outgoing out;
  out.url = notifier.url.value.empty() ? std::string(usual_url(notifier)) : notifier.url.value;
  out.body = body;
  std::visit(
      [&](const auto& kind) {
        if constexpr (requires { kind.complete(out, attempt); }) kind.complete(out, attempt);
      },
      notifier.kind);
  if (!out.mail) return out;
  for (const auto& [name, value] : notifier.headers) out.body = name + ": " + value.value + "\r\n" + out.body;
  return out;
}

void set_common(CURL* handle, const Outgoing& out, std::string& answer) {
  const auto set = curl_library().set;
  set(handle, CURLOPT_URL, out.url.c_str());
  set(handle, CURLOPT_PROTOCOLS_STR, out.mail ? "smtp,smtps" : "http,https");
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_PROXY, "");  // otherwise the environment's
  set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_QUICK_EXIT, 1L);
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_limit_ms);
  set(handle, CURLOPT_WRITEFUNCTION, &take_answer);
  set(handle, CURLOPT_WRITEDATA, &answer);
}

void set_post(CURL* handle, const Outgoing& out, const curl_slist* headers) {
  const auto set = curl_library().set;
  set(handle, CURLOPT_USERAGENT, "rollbackd/" ROLLBACKD_VERSION);
  set(handle, CURLOPT_POST, 1L);
  set(handle, CURLOPT_POSTFIELDS, out.body.data());
  set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(out.body.size()));
  set(handle, CURLOPT_HTTPHEADER, headers);
}

void set_mail(CURL* handle, const Outgoing::Envelope& mail, const curl_slist* recipients, Unread& body) {
  const auto set = curl_library().set;
  set(handle, CURLOPT_MAIL_FROM, ("<" + mail.from + ">").c_str());
  set(handle, CURLOPT_MAIL_RCPT, recipients);
  set(handle, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);  // one address that is gone keeps nobody else from hearing
  set(handle, CURLOPT_USE_SSL, static_cast<long>(mail.starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  if (!mail.user.empty()) {
    set(handle, CURLOPT_USERNAME, mail.user.c_str());
    set(handle, CURLOPT_PASSWORD, mail.password.c_str());
  }
  set(handle, CURLOPT_UPLOAD, 1L);
  set(handle, CURLOPT_READFUNCTION, &give_mail);
  set(handle, CURLOPT_READDATA, &body);
}

void take_out(std::string& text, const std::string& secret) {
  constexpr std::size_t secret_min = 4;  // shorter ones would blank out half of every sentence
  if (secret.size() < secret_min) return;
  constexpr std::string_view instead = "<redacted>";
  // On from behind what was put in, which may hold the secret itself.
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + instead.size()))
    text.replace(at, secret.size(), instead);
}

// A receiver may say back what it was sent.
std::string without_secrets(std::string text, const NotifierSection& notifier) {
  take_out(text, notifier.url.value);
  const std::size_t path = notifier.url.value.find('/', notifier.url.value.find("//") + 2);
  if (path != std::string::npos) take_out(text, notifier.url.value.substr(path));
  for (const auto& [name, value] : notifier.headers) {
    if (value.secret) take_out(text, value.value);
  }
  if (const auto* alerts = std::get_if<PagerDutyNotifier>(&notifier.kind)) take_out(text, alerts->routing_key.value);
  if (const auto* mail = std::get_if<EmailNotifier>(&notifier.kind)) take_out(text, mail->password.value);
  return text;
}

// https://host:port: paths of webhooks are keys to them, whether they were declared secret or not.
std::string origin(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "its url";
  const std::size_t begin = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::size_t at = url.rfind('@', end);
  const std::size_t host = at != std::string::npos && at >= begin ? at + 1 : begin;
  return url.substr(0, begin) + url.substr(host, end - host);
}

std::string attempt_at(const NotifierSection& notifier) {
  if (const auto* mail = std::get_if<EmailNotifier>(&notifier.kind))
    return "notifier \"" + notifier.name.text + "\": mail over " + mail->server + ": ";
  const std::string url = notifier.url.value.empty() ? std::string(usual_url(notifier)) : notifier.url.value;
  const std::string where = notifier.url.secret ? "<redacted>" : origin(url);
  return "notifier \"" + notifier.name.text + "\": POST " + where + ": ";
}

Delivery not_sent(const NotifierSection& notifier, const std::string& why) {
  return {.permanent = true, .error = attempt_at(notifier) + why};
}

const char* advice_on(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return "; is its certificate trusted by this host?";
    case CURLE_USE_SSL_FAILED:
      return "; the server offers no STARTTLS: correct its port, or write starttls = false for a server of your own "
             "host";
    case CURLE_LOGIN_DENIED:
      return "; check user and password";
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "; check its url";
    case CURLE_ABORTED_BY_CALLBACK:
      return ": it took too long; is the receiver reachable from here?";
    default:
      return "; is the receiver reachable from here?";
  }
}

// What a mail server said last, when it refused.
Delivery refused_mail(const NotifierSection& notifier, CURL* handle, CURLcode code) {
  long said = 0;
  curl_library().get(handle, CURLINFO_RESPONSE_CODE, &said);
  const bool is_for_good = said >= 500 && said < 600;
  const bool is_refusal = said >= 400 && code != CURLE_LOGIN_DENIED && code != CURLE_USE_SSL_FAILED;
  const std::string why = is_refusal ? "the server refused it with " + std::to_string(said)
                                     : curl_library().text_of(code) + std::string(advice_on(code));
  return {.permanent = is_for_good, .error = attempt_at(notifier) + why};
}

Delivery transport_failure(const NotifierSection& notifier, CURLcode code) {
  const bool permanent = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
  return {.permanent = permanent, .error = attempt_at(notifier) + curl_library().text_of(code) + advice_on(code)};
}

Delivery from_status(const NotifierSection& notifier, CURL* handle, const std::string& answer) {
  long status = 0;
  curl_library().get(handle, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return {.delivered = true};
  curl_off_t wait = 0;
  curl_library().get(handle, CURLINFO_RETRY_AFTER, &wait);
  Delivery delivery;
  delivery.permanent = status < 500 && status != 408 && status != 429;
  delivery.error = attempt_at(notifier) + "status " + std::to_string(status);
  const std::string shown = clean_line(without_secrets(answer, notifier), answer_shown_max);
  if (!shown.empty()) delivery.error += " (" + shown + ")";
  if (status >= 300 && status < 400) delivery.error += "; redirects are not followed, give the final address";
  if (wait > 0)
    delivery.retry_after = std::min<rules::Duration>(seconds(std::min<curl_off_t>(wait, 86400)), retry_after_most);
  return delivery;
}

}  // namespace

Delivery deliver(const NotifierSection& notifier, const std::string& body, const Attempt& attempt,
                 rules::Duration limit, const std::atomic<bool>* is_hurried) {
  for (const auto& [name, value] : notifier.headers) {
    if (!fits_header(name) || !fits_header(value.value))
      return not_sent(notifier, "the header " + clean_line(name, 100) + " has a line break");
  }
  if (!fits_header(notifier.url.value)) return not_sent(notifier, "its url has a line break");
  if (curl_library().problem) return {.error = attempt_at(notifier) + *curl_library().problem};
  const Handle handle(curl_library().init());
  if (!handle) return {.error = attempt_at(notifier) + "no memory"};
  const Outgoing out = outgoing_of(notifier, body, attempt);
  Unread unread{out.body};
  Headers lines;
  std::string answer;
  set_common(handle.get(), out, answer);
  if (out.mail) {
    for (const std::string& address : out.mail->to) append(lines, "<" + address + ">");
    set_mail(handle.get(), *out.mail, lines.get(), unread);
  } else {
    lines = http_headers(notifier, out, attempt.key);
    set_post(handle.get(), out, lines.get());
  }
  // A mail server may look at who comes before it says yes.
  using std::chrono::duration_cast;
  const auto whole = duration_cast<std::chrono::milliseconds>(out.mail ? mail_patience * limit : limit);
  const Patience patience{handle.get(), unread, duration_cast<std::chrono::microseconds>(whole).count(), is_hurried};
  if (out.mail) be_patient(handle.get(), patience);
  curl_library().set(handle.get(), CURLOPT_TIMEOUT_MS,
                     out.mail ? mail_taken_limit_ms : static_cast<long>(whole.count()));
  const CURLcode code = curl_library().perform(handle.get());
  if (out.mail) return code == CURLE_OK ? Delivery{.delivered = true} : refused_mail(notifier, handle.get(), code);
  if (code == CURLE_WRITE_ERROR) return from_status(notifier, handle.get(), "");  // it said more than we read
  if (code != CURLE_OK) return transport_failure(notifier, code);
  return from_status(notifier, handle.get(), answer);
}

std::optional<rules::Duration> retry_delay(int attempts) {
  rules::Duration delay = retry_first;
  rules::Duration waited{};
  for (int i = 1; i < attempts && waited < retry_total; ++i) {
    waited += delay;
    delay = std::min(2 * delay, retry_most);
  }
  if (waited + delay > retry_total) return std::nullopt;
  return delay;
}

}  // namespace watcher
