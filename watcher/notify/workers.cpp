#include "watcher/notify/workers.hpp"

#include <new>
#include <system_error>
#include <utility>

namespace watcher {

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Workers::prepare() { return !threads_.empty() || add_thread(); }

bool Workers::post(std::function<void()> work) {
  bool are_busy = false;
  {
    const std::lock_guard lock(mutex_);
    are_busy = idle_ <= waiting_.size();
  }
  if (are_busy && !add_thread() && threads_.empty()) return false;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

bool Workers::add_thread() {
  if (threads_.size() >= threads_max_) return false;
  try {
    threads_.reserve(threads_max_);
    threads_.emplace_back([this] { serve(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Workers::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return is_closed_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace watcher
