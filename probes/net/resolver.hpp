#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "rules/base/fault.hpp"
#include "rules/base/time.hpp"

namespace probes {

namespace asio = boost::asio;

// Looks names up on a small bounded pool of threads of its own, with a cache, because getaddrinfo blocks and cannot
// be cancelled: a dead name server must delay neither the loop nor other names. Literal addresses bypass it.
// Shutting down does not wait for a lookup that hangs.
class Resolver {
 public:
  Resolver();
  ~Resolver();
  struct Answer {
    std::vector<asio::ip::tcp::endpoint> endpoints;  // empty when there is a fault
    rules::Fault fault;
  };
  asio::awaitable<Answer> resolve(std::string host, std::uint16_t port, rules::Duration limit);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with lookups that outlive it
};

}  // namespace probes
