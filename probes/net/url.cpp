#include "probes/net/url.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

namespace probes {

namespace {

// None when there is none, and when it is no port: Boost's port_number() returns something for 99999, too.
std::optional<std::uint16_t> port_of(const boost::urls::url_view& view) {
  const std::string text(view.port());
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

rules::Parsed<Url> parse_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
  if (parsed.has_error()) return rules::SyntaxError{0, "expected an address such as http://127.0.0.1:3001/metrics"};
  const boost::urls::url_view& view = *parsed;
  const std::string scheme(view.scheme());
  if (scheme != "http" && scheme != "https") return rules::SyntaxError{0, "expected http:// or https://"};
  if (view.encoded_host().empty()) return rules::SyntaxError{scheme.size() + 3, "the address has no host"};
  if (view.has_userinfo()) {
    return rules::SyntaxError{scheme.size() + 3, "credentials do not belong into an address: use a header"};
  }
  if (view.has_fragment()) return rules::SyntaxError{text.find('#'), "an address to ask has no fragment"};
  const std::optional<std::uint16_t> port = port_of(view);
  if (view.has_port() && !port) return rules::SyntaxError{0, "the port must be from 1 to 65535"};
  Url url;
  url.tls = scheme == "https";
  url.host = std::string(view.host_address());
  const std::uint16_t standard_port = url.tls ? 443 : 80;
  url.port = port.value_or(standard_port);
  url.authority = std::string(view.encoded_host_and_port());
  url.target = std::string(view.encoded_resource());
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, "/");
  return url;
}

bool is_loopback(const Url& url) {
  if (url.host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(url.host, error);
  return !error && address.is_loopback();
}

}  // namespace probes
