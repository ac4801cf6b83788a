#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "probes/body_end.hpp"
#include "probes/config.hpp"
#include "probes/net/http_request.hpp"
#include "probes/net/resolver.hpp"
#include "rules/base/fault.hpp"

namespace probes {

struct HttpReply {
  unsigned status = 0;
  std::string content_type;
  std::string location;
  std::string body;  // empty when a sink took it, and when it cannot be read
  // Why the body is not what the server meant: it is compressed in a way that was not asked for, or not whole. Whoever
  // does not look at the body need not care.
  std::optional<rules::Fault> body_fault;
  BodyEnd body_end = BodyEnd::said;
  std::vector<std::pair<std::string, std::string>> fields;  // of its header, in order, when the request keeps them
};

// Takes the body piece by piece, from buffers shared by all connections of the thread. Returns false to stop reading.
using BodySink = std::function<bool(std::string_view piece)>;

// One kept-alive connection to one origin, over Beast. A kept connection that was closed under us is retried at once
// on a fresh one. No redirects, no proxy, no cookies of its own. Not to be used by two requests at once.
class HttpClient {
 public:
  HttpClient(Resolver& resolver, TlsOptions tls);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  // One more like this one, with a connection of its own.
  HttpClient another() const;

  // Never throws for what the network or the target does. Status codes are not judged here. The request must live
  // until it has returned.
  asio::awaitable<std::variant<HttpReply, rules::Fault>> fetch(const PreparedRequest& request);
  // The same, with a body of status 200 given to the sink, if there is one, as it comes in.
  asio::awaitable<std::variant<HttpReply, rules::Fault>> fetch(const PreparedRequest& request, BodySink sink);

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace probes
