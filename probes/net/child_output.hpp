#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "probes/memory_budget.hpp"
#include "probes/net/spawn.hpp"
#include "rules/base/time.hpp"

namespace probes {

// Reads what a child writes for as long as it runs: the first `max` bytes are kept, the rest is read and counted,
// because a full pipe would block the child.
class ChildOutput : public std::enable_shared_from_this<ChildOutput> {
 public:
  // Takes over the descriptors of the pipes.
  ChildOutput(const asio::any_io_executor& executor, const Spawned& spawned, std::int64_t max,
              MemoryBudget::Account* account = nullptr);

  void start();
  // Returns when both pipes have ended, or after the limit: a process that left the group may hold them for ever.
  asio::awaitable<void> drained(rules::Duration limit);
  void stop();

  std::string& all() { return all_; }             // both streams as they came
  std::string& standard() { return standard_; }   // standard output alone
  std::string& stderr_end() { return err_end_; }  // its last KiB
  std::int64_t dropped() const { return dropped_; }

 private:
  using Pipe = asio::posix::stream_descriptor;
  void read_on(Pipe& pipe);
  bool read_some(Pipe& pipe);
  void keep(const Pipe& pipe, const char* bytes, std::size_t count);

  Pipe out_;
  Pipe err_;
  asio::steady_timer ended_;  // cancelled when both pipes have ended
  std::int64_t max_;
  MemoryBudget::Account* account_;
  std::string all_;
  std::string standard_;
  std::string err_end_;
  std::int64_t dropped_ = 0;
};

}  // namespace probes
