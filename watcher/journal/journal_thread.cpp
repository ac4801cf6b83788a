#include "watcher/journal/journal_thread.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace watcher {

namespace {

// Something to be done with the journal, and whom to tell.
class Task {
 public:
  virtual ~Task() = default;
  virtual void run(Journal& journal) = 0;
  virtual void tell(bool done) = 0;
};

template <class Handler>
class TaskOf final : public Task {
 public:
  TaskOf(const asio::any_io_executor& executor, std::function<void(Journal&)>& work, Handler handler)
      : guard_(executor), work_(work), handler_(std::move(handler)) {}

  void run(Journal& journal) override { work_(journal); }
  void tell(bool done) override {
    const asio::any_io_executor executor = guard_.get_executor();
    asio::post(executor, [handler = std::move(handler_), done]() mutable { std::move(handler)(done); });
  }

 private:
  asio::executor_work_guard<asio::any_io_executor> guard_;  // the loop does not end while somebody waits for the disk
  std::function<void(Journal&)>& work_;                     // of the coroutine that waits
  Handler handler_;
};

const char* const not_asked =
    "the disk is too slow for what is to be saved, memory ran out, or the watcher stops; check the disk";

}  // namespace

class JournalThread::Worker {
 public:
  explicit Worker(std::unique_ptr<Journal> journal) : journal_(std::move(journal)) { start(); }
  ~Worker() { close(); }

  void submit(std::unique_ptr<Task> task) {
    {
      const std::lock_guard lock(mutex_);
      if (!closing_ && tasks_.size() < waiting_max) {
        tasks_.push_back(std::move(task));
        wake_.notify_one();
        return;
      }
      ++refused_;
    }
    task->tell(false);
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return tasks_.size();
  }
  std::size_t refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  void start() {
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
      throw std::runtime_error(std::string("no thread can be had for the journal (") + error.what() +
                               "); raise what bounds them: TasksMax= of the unit, pids_limit of the container, "
                               "ulimit -u, or memory");
    }
  }
  void run() {
    while (std::unique_ptr<Task> task = next()) {
      task->tell(run(*task));
    }
    journal_.reset();
  }

  // What memory ran out for is not done; the others are.
  bool run(Task& task) {
    try {
      task.run(*journal_);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  // nullptr: closing, and nothing waits any more.
  std::unique_ptr<Task> next() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
    if (tasks_.empty()) return nullptr;
    std::unique_ptr<Task> task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Task>> tasks_;
  bool closing_ = false;
  std::size_t refused_ = 0;
  std::unique_ptr<Journal> journal_;  // the thread's alone
  std::thread thread_;
};

JournalThread::JournalThread(asio::any_io_executor executor, std::unique_ptr<Journal> journal)
    : executor_(std::move(executor)), found_(journal->found()), worker_(std::make_unique<Worker>(std::move(journal))) {}

JournalThread::~JournalThread() = default;

void JournalThread::close() { worker_->close(); }
std::size_t JournalThread::waiting() const { return worker_->waiting(); }
std::size_t JournalThread::refused() const { return worker_->refused(); }

asio::awaitable<bool> JournalThread::use(std::function<void(Journal&)> work) {
  auto submit = [this, &work](auto handler) {
    worker_->submit(std::make_unique<TaskOf<decltype(handler)>>(executor_, work, std::move(handler)));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(std::move(submit),
                                                                                     asio::use_awaitable);
}

asio::awaitable<std::optional<JournalFault>> JournalThread::save(std::vector<rules::Record> records) {
  const std::vector<OutboxEntry> none;
  co_return co_await save(records, none);
}

asio::awaitable<std::optional<JournalFault>> JournalThread::save(const std::vector<rules::Record>& records,
                                                                 const std::vector<OutboxEntry>& messages) {
  std::optional<JournalFault> fault = JournalFault{.what = std::string("save a decision: ") + not_asked};
  std::function<void(Journal&)> work = [&](Journal& journal) { fault = journal.save(records, messages); };
  co_await use(std::move(work));
  co_return fault;
}

asio::awaitable<std::optional<JournalFault>> JournalThread::alive(rules::Instant now) {
  std::optional<JournalFault> fault = JournalFault{.what = std::string("save that the watcher is alive: ") + not_asked};
  std::function<void(Journal&)> work = [&](Journal& journal) { fault = journal.alive(now); };
  co_await use(std::move(work));
  co_return fault;
}

asio::awaitable<std::optional<JournalFault>> JournalThread::enqueue(std::vector<OutboxEntry> entries) {
  std::optional<JournalFault> fault = JournalFault{.what = std::string("save a message: ") + not_asked};
  std::function<void(Journal&)> work = [&](Journal& journal) { fault = journal.enqueue(entries); };
  co_await use(std::move(work));
  co_return fault;
}

asio::awaitable<std::optional<JournalFault>> JournalThread::keep_reserve() {
  std::optional<JournalFault> fault = JournalFault{.what = std::string("make the reserve: ") + not_asked};
  std::function<void(Journal&)> work = [&](Journal& journal) { fault = journal.keep_reserve(); };
  co_await use(std::move(work));
  co_return fault;
}

asio::awaitable<std::optional<JournalFault>> JournalThread::accept_state() {
  std::optional<JournalFault> fault = JournalFault{.what = std::string("accept the state: ") + not_asked};
  std::function<void(Journal&)> work = [&](Journal& journal) { fault = journal.accept_state(); };
  co_await use(std::move(work));
  co_return fault;
}

asio::awaitable<std::string> JournalThread::host_copy_trouble() {
  std::string trouble;
  std::function<void(Journal&)> work = [&](Journal& journal) { trouble = journal.host_copy_trouble(); };
  co_await use(std::move(work));
  co_return trouble;
}

asio::awaitable<std::string> JournalThread::take_damage() {
  std::string damage;
  std::function<void(Journal&)> work = [&](Journal& journal) { damage = journal.take_damage(); };
  co_await use(std::move(work));
  co_return damage;
}

asio::awaitable<bool> JournalThread::reserve_held() {
  bool held = false;
  std::function<void(Journal&)> work = [&](Journal& journal) { held = journal.reserve_held(); };
  co_await use(std::move(work));
  co_return held;
}

asio::awaitable<std::vector<rules::IncidentRecord>> JournalThread::incidents(std::size_t most) {
  std::vector<rules::IncidentRecord> found;
  std::function<void(Journal&)> work = [&](Journal& journal) { found = journal.incidents(most); };
  co_await use(std::move(work));
  co_return found;
}

asio::awaitable<std::optional<rules::IncidentRecord>> JournalThread::incident(rules::IncidentId id) {
  std::optional<rules::IncidentRecord> found;
  std::function<void(Journal&)> work = [&](Journal& journal) { found = journal.incident(id); };
  co_await use(std::move(work));
  co_return found;
}

asio::awaitable<std::vector<rules::StepRecord>> JournalThread::steps(rules::IncidentId id) {
  std::vector<rules::StepRecord> found;
  std::function<void(Journal&)> work = [&](Journal& journal) { found = journal.steps(id); };
  co_await use(std::move(work));
  co_return found;
}

asio::awaitable<std::vector<rules::LedgerRecord>> JournalThread::ledger() {
  std::vector<rules::LedgerRecord> found;
  std::function<void(Journal&)> work = [&](Journal& journal) { found = journal.ledger(); };
  co_await use(std::move(work));
  co_return found;
}

}  // namespace watcher
