#include "probes/ask/fetcher.hpp"

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include "probes/net/deadline.hpp"
#include "probes/net/url.hpp"

namespace probes {

namespace {

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool keeps_method(unsigned status) { return status == 307 || status == 308; }

bool same_origin(const std::string& a, const std::string& b) {
  const auto first = parse_url(a);
  const auto second = parse_url(b);
  const Url* const one = std::get_if<Url>(&first);
  const Url* const other = std::get_if<Url>(&second);
  return one != nullptr && other != nullptr && one->tls == other->tls && one->host == other->host &&
         one->port == other->port;
}

void send_to(HttpRequest& request, const std::string& target, unsigned status) {
  if (!same_origin(request.url, target)) request.headers.clear();
  if (!keeps_method(status) && request.method != "HEAD") {
    request.method = "GET";
    request.body.clear();
  }
  request.url = target;
}

constexpr const char* cookie_field = "Cookie";

bool has_own_cookies(const HttpRequest& request) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [](const auto& header) { return boost::iequals(header.first, cookie_field); });
}

// The request as it goes to its address now, with what the jar has for that.
PreparedRequest prepared_with(HttpRequest request, const CookieJar& jar) {
  if (has_own_cookies(request)) return PreparedRequest(std::move(request));
  const auto url = parse_url(request.url);
  if (const Url* const to = std::get_if<Url>(&url)) {
    std::string cookies = jar.header(*to);
    if (!cookies.empty()) request.headers.emplace_back(cookie_field, std::move(cookies));
  }
  return PreparedRequest(std::move(request));
}

}  // namespace

HttpRequest request_of(const ProbeConfig& config, const Text& url, const HttpOptions& options) {
  HttpRequest request;
  request.url = url.value;
  request.limit = config.timeout;
  request.body_max = options.body_max;
  for (const auto& [name, value] : options.headers) request.headers.emplace_back(name, value.value);
  return request;
}

HttpRequest counted(HttpRequest request, MemoryBudget::Account& account) {
  request.account = &account;
  return request;
}

std::string attempt_of(const std::string& url, bool is_secret) { return is_secret ? "GET" : "GET " + url; }

std::string redirect_target(const std::string& from, const HttpReply& reply) {
  if (!is_redirect(reply.status)) return "";
  const auto base = boost::urls::parse_uri(from);
  auto location = boost::urls::parse_uri_reference(reply.location);
  if (base.has_error() || location.has_error()) return "";
  boost::urls::url target(*base);
  if (target.resolve(*location).has_error()) return "";
  target.remove_fragment();
  const std::string text(target.buffer());
  return std::holds_alternative<Url>(parse_url(text)) ? text : "";
}

Fetcher::Fetcher(Resolver& resolver, const HttpOptions& options)
    : client_(resolver, options.tls), redirects_(options.redirects) {}

HttpClient& Fetcher::elsewhere() {
  if (!elsewhere_) elsewhere_.emplace(client_.another());
  return *elsewhere_;
}

asio::awaitable<std::variant<HttpReply, rules::Fault>> Fetcher::fetch(const PreparedRequest& request, BodySink sink) {
  return redirects_ == 0 ? client_.fetch(request, std::move(sink)) : follow(request, std::move(sink));
}

asio::awaitable<std::variant<HttpReply, rules::Fault>> Fetcher::fetch(HttpRequest request, CookieJar& jar) {
  const auto executor = co_await asio::this_coro::executor;
  Deadline deadline(executor);
  deadline.arm(request.limit, [] {});
  request.keeps_fields = true;
  for (int hop = 0;; ++hop) {
    request.limit = deadline.left();
    const PreparedRequest prepared(prepared_with(request, jar));
    HttpClient& client = hop == 0 ? client_ : elsewhere();
    auto outcome = co_await client.fetch(prepared);
    const auto* const reply = std::get_if<HttpReply>(&outcome);
    if (reply == nullptr) co_return outcome;
    jar.take(prepared.url(), *reply);
    const std::string target = hop < redirects_ ? redirect_target(request.url, *reply) : std::string();
    if (target.empty()) co_return outcome;
    send_to(request, target, reply->status);
  }
}

asio::awaitable<std::variant<HttpReply, rules::Fault>> Fetcher::follow(const PreparedRequest& first, BodySink sink) {
  const auto executor = co_await asio::this_coro::executor;
  Deadline deadline(executor);
  HttpRequest request = first.request();
  deadline.arm(request.limit, [] {});
  auto outcome = co_await client_.fetch(first, sink);
  for (int hop = 0; hop < redirects_; ++hop) {
    const auto* const reply = std::get_if<HttpReply>(&outcome);
    if (reply == nullptr) break;
    const std::string target = redirect_target(request.url, *reply);
    if (target.empty()) break;
    send_to(request, target, reply->status);
    request.limit = deadline.left();
    const PreparedRequest next(request);
    outcome = co_await elsewhere().fetch(next, sink);
  }
  co_return outcome;
}

}  // namespace probes
