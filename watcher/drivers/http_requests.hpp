#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probes/net/resolver.hpp"
#include "rules/base/fault.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

namespace asio = boost::asio;

// What the names in braces of a request stand for.
struct HttpNames {
  std::string to;
  std::string from;
  std::string id;
  std::string since;  // 2026-11-21T02:03:04Z
};

// What a request brought.
struct HttpAnswer {
  std::string asked;  // "GET https://api.github.com/repos/o/r", without a query, for people
  unsigned status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  // of the header of an answer that is not 2xx
  std::optional<rules::FaultKind> fault;                    // there is no answer
  std::string what;  // for people: why it is none, or what is wrong with it; empty: it is 2xx
};

// Asks the CI and the application. Redirects are not followed: credentials go where the configuration says.
class HttpRequests {
 public:
  explicit HttpRequests(const HttpWorkflow& config);  // which must outlive it

  asio::awaitable<HttpAnswer> version();
  asio::awaitable<HttpAnswer> runs(HttpNames names);
  asio::awaitable<HttpAnswer> target(HttpNames names);
  // Never repeated by itself.
  asio::awaitable<HttpAnswer> dispatch(HttpNames names);

  // The request that dispatch() makes, a line each, without what is secret.
  std::vector<std::string> dispatch_shown(const HttpNames& names) const;

 private:
  asio::awaitable<HttpAnswer> ask(rules::HttpStep step);
  rules::HttpStep question(const Text& url, const std::map<std::string, Text>& headers) const;

  const HttpWorkflow& config_;
  probes::Resolver resolver_;
};

// From when on runs are to be listed for one that is asked for at that time: some minutes before.
std::string listed_since(rules::Instant at);

// False only where no byte of the request can have reached anybody who would act on it.
bool may_have_arrived(const HttpAnswer& answer);

// The revision that the version endpoint's answer says; or why it says none, for people.
struct VersionSaid {
  rules::Revision revision;
  std::string error;
};
VersionSaid version_in(const HttpWorkflow& config, const HttpAnswer& answer);

}  // namespace watcher
