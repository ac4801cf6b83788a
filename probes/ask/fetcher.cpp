#include "probes/ask/fetcher.hpp"

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

}  // namespace

HttpRequest request_of(const ProbeConfig& config, const Text& url, const HttpOptions& options) {
  HttpRequest request;
  request.url = url.value;
  request.limit = config.timeout;
  request.body_max = options.body_max;
  for (const auto& [name, value] : options.headers) request.headers.emplace_back(name, value.value);
  return request;
}

std::string attempt_of(const Text& url) { return url.secret ? "GET" : "GET " + url.value; }

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
    : client_(resolver, options.tls), elsewhere_(resolver, options.tls), redirects_(options.redirects) {}

asio::awaitable<std::variant<HttpReply, rules::Fault>> Fetcher::fetch(const PreparedRequest& request, BodySink sink) {
  return redirects_ == 0 ? client_.fetch(request, std::move(sink)) : follow(request, std::move(sink));
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
    outcome = co_await elsewhere_.fetch(next, sink);
  }
  co_return outcome;
}

}  // namespace probes
