#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <variant>
#include <vector>

#include "probes/net/child.hpp"
#include "watcher/config/config.hpp"
#include "watcher/drivers/git_runner.hpp"
#include "watcher/drivers/pm2_processes.hpp"

namespace watcher {

using Pm2Answer = std::variant<Pm2Listing, GitError>;

// Asks pm2, as the owner of the checkout. The configuration must outlive it.
class Pm2Runner {
 public:
  explicit Pm2Runner(const Pm2Driver& config) : config_(config) {}

  const Pm2Driver& config() const { return config_; }
  std::string user() const;
  // `pm2 WORDS` with what it needs in its environment: to be run by others.
  std::vector<std::string> command(std::vector<std::string> words) const;
  // Why pm2 cannot be asked, for people, with what to do; empty: it can. Its daemon is not started by asking.
  std::string why_not_asked() const;
  // What it says of the processes.
  asio::awaitable<Pm2Answer> list() const;
  // `pm2 WORDS` as it is asked something.
  probes::ChildSpec question(std::vector<std::string> words, rules::Duration limit) const;

 private:
  std::string home() const;

  const Pm2Driver& config_;
};

}  // namespace watcher
