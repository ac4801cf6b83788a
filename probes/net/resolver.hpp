#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
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
  // What looking up one name brought: addresses, or why there are none.
  struct Found {
    std::vector<asio::ip::address> addresses;
    rules::Fault fault;
  };
  // May block; called on threads of the pool, several at once.
  using Lookup = std::function<Found(const std::string& host)>;

  Resolver();  // getaddrinfo
  explicit Resolver(Lookup lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  struct Answer {
    std::vector<asio::ip::tcp::endpoint> endpoints;  // empty when there is a fault
    rules::Fault fault;
    bool cached = false;  // an earlier lookup's answer
  };
  // Within `limit`; a lookup that takes longer is the fault dns, and goes on for those who ask next.
  asio::awaitable<Answer> resolve(std::string host, std::uint16_t port, rules::Duration limit);
  // The address did not answer: the name may have moved to another one, so the next resolve() looks it up anew.
  void forget(const std::string& host);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with lookups that outlive it
};

}  // namespace probes
