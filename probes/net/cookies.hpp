#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/net/http_client.hpp"
#include "probes/net/url.hpp"
#include "rules/base/time.hpp"

namespace probes {

// What a browser keeps of a site's cookies for as long as a journey takes (RFC 6265): by host, domain and path, none of
// a domain that the answering host does not belong to, a Secure one over TLS or to this host alone.
class CookieJar {
 public:
  explicit CookieJar(rules::Instant now) : now_(now) {}  // the whole journey's: what has expired by then is dropped
  // The reply's Set-Cookie fields; the request must have asked for the reply's fields to be kept.
  void take(const Url& from, const HttpReply& reply);
  // For the Cookie header of a request; empty: none goes there.
  std::string header(const Url& to) const;
  // Of the newest one with this name.
  std::optional<std::string> value(std::string_view name) const;

 private:
  struct Cookie {
    std::string name;
    std::string value;
    std::string domain;
    bool host_only = true;
    std::string path;
    bool secure = false;
  };
  void put(const Url& from, std::string_view field);

  rules::Instant now_;
  std::vector<Cookie> cookies_;
};

}  // namespace probes
