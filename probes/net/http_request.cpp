#include "probes/net/http_request.hpp"

#include <algorithm>
#include <string_view>
#include <variant>

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;

bool is_repeatable(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

bool breaks_header(char c) { return c == '\r' || c == '\n' || c == '\0'; }

bool is_sendable(std::string_view text) { return std::none_of(text.begin(), text.end(), breaks_header); }

bool has_header(const HttpRequest& request, std::string_view name) {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
    return std::equal(header.first.begin(), header.first.end(), name.begin(), name.end(), same);
  });
}

std::optional<Fault> unsendable(const HttpRequest& request) {
  if (!is_sendable(request.method)) return Fault{FaultKind::not_measurable, "the method contains a line break"};
  for (const auto& [name, value] : request.headers) {
    if (is_sendable(name) && is_sendable(value)) continue;
    return Fault{FaultKind::not_measurable, "the header " + name + " contains a line break"};
  }
  return std::nullopt;
}

std::string origin_of(const Url& url) {
  return (url.tls ? "https " : "http ") + url.host + " " + std::to_string(url.port);
}

}  // namespace

PreparedRequest::PreparedRequest(HttpRequest request)
    : request_(std::move(request)), repeatable_(is_repeatable(request_.method)) {
  auto parsed = parse_url(request_.url);
  if (const auto* error = std::get_if<rules::SyntaxError>(&parsed)) {
    fault_ = Fault{FaultKind::not_measurable, "the address is wrong: " + error->what};
    return;
  }
  url_ = std::move(std::get<Url>(parsed));
  fault_ = unsendable(request_);
  if (fault_) return;
  origin_ = origin_of(url_);
  text_ = written();
}

std::string PreparedRequest::written() const {
  std::string out;
  out.append(request_.method).append(" ").append(url_.target).append(" HTTP/1.1\r\n");
  if (!has_header(request_, "Host")) out.append("Host: ").append(url_.authority).append("\r\n");
  if (!has_header(request_, "User-Agent")) out.append("User-Agent: rollbackd\r\n");
  if (!has_header(request_, "Accept")) out.append("Accept: */*\r\n");
  for (const auto& [name, value] : request_.headers) out.append(name).append(": ").append(value).append("\r\n");
  if (!request_.body.empty() || !repeatable_) {
    out.append("Content-Length: ").append(std::to_string(request_.body.size())).append("\r\n");
  }
  out.append("\r\n").append(request_.body);
  return out;
}

}  // namespace probes
