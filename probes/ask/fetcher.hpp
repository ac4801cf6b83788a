#pragma once

#include <optional>
#include <string>
#include <variant>

#include "probes/config.hpp"
#include "probes/net/cookies.hpp"
#include "probes/net/http_client.hpp"

namespace probes {

// An HttpClient that follows redirects where the probe says so.
class Fetcher {
 public:
  Fetcher(Resolver& resolver, const HttpOptions& options);
  // `limit` is for all hops together; the request must live until it has returned. Headers of the request go to no
  // other origin: they may hold secrets.
  asio::awaitable<std::variant<HttpReply, rules::Fault>> fetch(const PreparedRequest& request, BodySink sink);
  // The same with the cookies of this jar, which takes those of every hop. A Cookie header of the request's own is sent
  // as it is.
  asio::awaitable<std::variant<HttpReply, rules::Fault>> fetch(HttpRequest request, CookieJar& jar);

 private:
  asio::awaitable<std::variant<HttpReply, rules::Fault>> follow(const PreparedRequest& first, BodySink sink);

  HttpClient& elsewhere();

  HttpClient client_;
  std::optional<HttpClient> elsewhere_;  // for what redirects lead to, so that the first connection is kept
  int redirects_;
};

// What a probe of one address asks at each poll.
HttpRequest request_of(const ProbeConfig& config, const Text& url, const HttpOptions& options);
// The same whose body is counted in the account, which must outlive it.
HttpRequest counted(HttpRequest request, MemoryBudget::Account& account);
// The same for people, without what is secret.
std::string attempt_of(const std::string& url, bool is_secret);

// Where a reply sends us; empty when it does not, or to something that is not http or https.
std::string redirect_target(const std::string& from, const HttpReply& reply);

}  // namespace probes
