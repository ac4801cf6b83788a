#include "probes/net/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>

namespace probes {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& thrown) {
    return thrown.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return thrown.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

// With bind_cancellation_slot() Asio would post the cancellation when it comes from outside the loop, to a signal that
// may be gone by then; a handler that names its slot itself is cancelled at once.
struct TaskGroup::OnDone {
  using cancellation_slot_type = asio::cancellation_slot;
  cancellation_slot_type get_cancellation_slot() const noexcept { return task->signal.slot(); }
  void operator()(std::exception_ptr error) { group->finished(task, std::move(error)); }

  TaskGroup* group;
  std::list<Task>::iterator task;
};

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), emptied_(executor_, asio::steady_timer::time_point::max()) {}

TaskGroup::~TaskGroup() { assert(tasks_.empty()); }

void TaskGroup::spawn(std::string name, asio::awaitable<void> task) {
  tasks_.emplace_back();
  const auto entry = std::prev(tasks_.end());
  entry->name = std::move(name);
  try {
    asio::co_spawn(executor_, std::move(task), OnDone{this, entry});
  } catch (const std::bad_alloc&) {
    tasks_.erase(entry);
    throw;
  }
}

void TaskGroup::cancel() {
  // A task may end, and its entry go, while its signal is emitted.
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    const auto next = std::next(task);
    task->cancelled = true;
    task->signal.emit(asio::cancellation_type::terminal);
    task = next;
  }
}

void TaskGroup::finished(std::list<Task>::iterator task, std::exception_ptr error) {
  const bool expected = !error || (task->cancelled && is_cancellation(error));
  if (!expected) {
    std::fprintf(stderr, "event=died task=%s what=\"%s\"\n", task->name.c_str(), message_of(error).c_str());
    std::abort();
  }
  tasks_.erase(task);
  if (tasks_.empty()) emptied_.cancel();
}

asio::awaitable<void> TaskGroup::join() {
  while (!tasks_.empty()) {
    co_await emptied_.async_wait(as_result);
  }
}

}  // namespace probes
