#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "rules/base/parse.hpp"

namespace probes {

// An http or https address, taken apart.
struct Url {
  bool tls = false;
  std::string host;        // without brackets
  std::uint16_t port = 0;  // 80 or 443 where the text has none
  std::string authority;   // for the Host header: host[:port] as written
  std::string target;      // path and query, at least "/"
};

// User information and fragments are refused: credentials belong into a header that can be kept secret.
rules::Parsed<Url> parse_url(std::string_view text);

// This host itself, by name or by address: nobody is in between.
bool is_loopback(const Url& url);

}  // namespace probes
