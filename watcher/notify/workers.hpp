#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace watcher {

// Threads for what blocks, made one by one when there is more work than they can take up, and kept. Where no thread can
// be had (too little memory, a limit of processes) those that are there take turns. Boost's thread_pool is not used:
// its constructor waits for ever for the threads it has made when the next one cannot be.
class Workers {
 public:
  explicit Workers(std::size_t threads_max) : threads_max_(threads_max) {}
  // Waits for all work to be done.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Makes the first thread now, so that work which comes in need finds it. False: none can be had.
  bool prepare();
  // False: there is no thread, and none can be had; the work is not done. `work` must not throw.
  bool post(std::function<void()> work);

 private:
  bool add_thread();
  void serve();

  const std::size_t threads_max_;
  std::vector<std::thread> threads_;  // of the one that posts
  std::mutex mutex_;                  // guards what follows
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::size_t idle_ = 0;
  bool is_closed_ = false;
};

}  // namespace watcher
