#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probes/config.hpp"
#include "probes/memory_budget.hpp"
#include "probes/net/url.hpp"
#include "rules/base/fault.hpp"
#include "rules/base/shared_text.hpp"
#include "rules/base/time.hpp"

namespace probes {

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  rules::Duration limit{};  // for everything: name, connection, TLS, answer
  std::int64_t body_max = body_limit_default;
  bool keeps_fields = false;                 // the reply's header is wanted
  MemoryBudget::Account* account = nullptr;  // that holds a body which goes to no sink; nullptr: nobody counts
};

// A request with its address taken apart and its text written: polls send the same again and again.
class PreparedRequest {
 public:
  explicit PreparedRequest(HttpRequest request);

  // Why it cannot be sent; nothing below but request() means anything then.
  const std::optional<rules::Fault>& fault() const { return fault_; }
  const HttpRequest& request() const { return request_; }
  const Url& url() const { return url_; }
  const rules::SharedText& origin() const { return origin_; }  // scheme, host and port: where a connection to it leads
  const std::string& text() const { return text_; }            // header and body, as they are sent
  // May be sent twice without harm: after a kept connection was closed under us, nobody knows whether the first
  // arrived.
  bool repeatable() const { return repeatable_; }

 private:
  std::string written() const;

  HttpRequest request_;
  Url url_;
  rules::SharedText origin_;
  std::string text_;
  std::optional<rules::Fault> fault_;
  bool repeatable_;
};

}  // namespace probes
