#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "watcher/journal/journal.hpp"

namespace watcher {

namespace asio = boost::asio;

// The journal with a thread of its own, because a commit takes as long as the disk likes: what is asked of it is done
// in the order of asking, and whoever asked goes on, on the executor that it asked from, when it is durable.
// Cancelling does not take back what was asked. Calls come from the loop's thread.
class JournalThread {
 public:
  // What may wait for the disk. Beyond it writes answer with a fault and reads with nothing: a disk that is this far
  // behind does not catch up by being asked for more.
  static constexpr std::size_t waiting_max = 1024;

  JournalThread(asio::any_io_executor executor, std::unique_ptr<Journal> journal);
  ~JournalThread();  // closes
  JournalThread(const JournalThread&) = delete;
  JournalThread& operator=(const JournalThread&) = delete;

  // What opening found; does not change.
  const JournalState& found() const { return found_; }

  asio::awaitable<std::optional<JournalFault>> save(std::vector<rules::Record> records);
  // The same with the messages that tell of it, so that a crash loses neither. Both must live until it has returned.
  asio::awaitable<std::optional<JournalFault>> save(const std::vector<rules::Record>& records,
                                                    const std::vector<OutboxEntry>& messages);
  asio::awaitable<std::optional<JournalFault>> alive(rules::Instant now);
  asio::awaitable<std::optional<JournalFault>> enqueue(std::vector<OutboxEntry> entries);
  asio::awaitable<std::optional<JournalFault>> keep_reserve();
  asio::awaitable<std::optional<JournalFault>> accept_state();
  asio::awaitable<std::string> take_damage();
  asio::awaitable<std::string> host_copy_trouble();
  asio::awaitable<bool> reserve_held();
  asio::awaitable<std::vector<rules::IncidentRecord>> incidents(std::size_t most);
  asio::awaitable<std::optional<rules::IncidentRecord>> incident(rules::IncidentId id);
  asio::awaitable<std::vector<rules::StepRecord>> steps(rules::IncidentId id);
  asio::awaitable<std::vector<rules::LedgerRecord>> ledger();

  // Runs `work` on the journal's thread. false: it was not run, because too much waits or the journal is closed.
  asio::awaitable<bool> use(std::function<void(Journal&)> work);

  // Does what waits, closes the database and gives the lock back. Blocks for that. Nothing can be asked afterwards.
  void close();

  std::size_t waiting() const;
  std::size_t refused() const;  // calls beyond waiting_max in total

 private:
  class Worker;

  asio::any_io_executor executor_;
  JournalState found_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace watcher
