#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <exception>
#include <list>
#include <string>

namespace probes {

namespace asio = boost::asio;

// The only way in which a coroutine is started on its own. Its tasks are counted, can be cancelled, and are waited for
// before anything that they use is destroyed. An exception that escapes from a task stops the program: a probe loop
// that died silently would be worse. To be used from the executor's thread only.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();  // the group must be empty
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // `name` is for the message when the task dies of an exception. Throws std::bad_alloc when it cannot be started.
  void spawn(std::string name, asio::awaitable<void> task);
  // Cancels every task that runs now; those spawned later are not cancelled.
  void cancel();
  // Returns when no task runs. Not to be called from one of its tasks.
  asio::awaitable<void> join();

  std::size_t size() const { return tasks_.size(); }

 private:
  struct Task {
    std::string name;
    asio::cancellation_signal signal;  // must outlive the coroutine: erased in finished()
    bool cancelled = false;
  };
  struct OnDone;
  void finished(std::list<Task>::iterator task, std::exception_ptr error);

  asio::any_io_executor executor_;
  std::list<Task> tasks_;
  asio::steady_timer emptied_;  // never expires; cancelled when the last task has ended
};

}  // namespace probes
