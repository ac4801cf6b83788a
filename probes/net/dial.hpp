#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "probes/net/connection.hpp"
#include "probes/net/deadline.hpp"
#include "probes/net/resolver.hpp"
#include "rules/base/fault.hpp"

namespace probes {

// Looks the host up and connects. An address from the resolver's cache that does not answer may have moved, so it is
// looked up once more.
asio::awaitable<std::optional<rules::Fault>> dial(Resolver& resolver, Connection& connection, std::string host,
                                                  std::uint16_t port, Deadline& deadline);

}  // namespace probes
