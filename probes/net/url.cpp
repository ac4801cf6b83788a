#include "probes/net/url.hpp"

#include <boost/url/parse.hpp>

namespace probes {

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
  if (view.has_port() && view.port_number() == 0) return rules::SyntaxError{0, "the port must be from 1 to 65535"};
  Url url;
  url.tls = scheme == "https";
  url.host = std::string(view.host_address());
  const std::uint16_t standard_port = url.tls ? 443 : 80;
  url.port = view.has_port() ? view.port_number() : standard_port;
  url.authority = std::string(view.encoded_host_and_port());
  url.target = std::string(view.encoded_resource());
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, "/");
  return url;
}

}  // namespace probes
