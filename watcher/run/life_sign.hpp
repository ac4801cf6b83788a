#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "probes/net/resolver.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

namespace asio = boost::asio;

// Tells somebody outside, again and again, that the watcher lives and could act: who does not hear it any more calls
// people (a "dead man's switch": healthchecks.io, Uptime Kuma, a Pushgateway's age).
class LifeSign {
 public:
  // What the configuration says by now.
  using Section = std::function<const WatcherSection&()>;
  // Why it could not act now, so that no sign is given; empty: it could.
  using WhyNot = std::function<std::string()>;

  // `io` and `resolver` must outlive it.
  LifeSign(asio::io_context& io, probes::Resolver& resolver, Section section, WhyNot why_not);

  // A GET of `heartbeat` each `heartbeat_every`, until cancelled; what goes wrong is logged once.
  asio::awaitable<void> loop();

 private:
  asio::awaitable<std::string> give(std::string url);
  rules::Duration until_next() const;
  void note(const std::string& trouble);

  asio::io_context& io_;
  probes::Resolver& resolver_;
  Section section_;
  WhyNot why_not_;
  std::string trouble_;  // logged
};

}  // namespace watcher
