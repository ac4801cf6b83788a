#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

#include "journal_support.hpp"
#include "probes/net/task_group.hpp"
#include "watcher/journal/journal_thread.hpp"

using namespace journal_support;
namespace asio = boost::asio;

namespace {

// A journal on a thread of its own, and tasks that ask it.
struct Asking {
  const Folder folder;
  asio::io_context io;
  watcher::JournalThread journal{io.get_executor(), open(folder.path)};
  std::vector<std::string> told;
  probes::TaskGroup tasks{io.get_executor()};
};

// Lets the journal's thread wait at a gate, like a disk that is slow.
struct Gate {
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;
  void wait() {
    std::unique_lock lock(mutex);
    opened.wait(lock, [this] { return open; });
  }
  void let_through() {
    const std::lock_guard lock(mutex);
    open = true;
    opened.notify_all();
  }
};

asio::awaitable<void> wait_at(watcher::JournalThread& journal, Gate& gate) {
  std::function<void(watcher::Journal&)> work = [&gate](watcher::Journal&) { gate.wait(); };
  co_await journal.use(std::move(work));
}

asio::awaitable<void> save_one(watcher::JournalThread& journal, std::string id, std::vector<std::string>& told) {
  std::vector<rules::Record> records;
  records.emplace_back(incident(id, 1));
  const auto fault = co_await journal.save(std::move(records));
  told.push_back(fault ? "fault " + fault->what : id);
}

}  // namespace

TEST_CASE_FIXTURE(Asking, "the journal's thread saves in the order of asking and answers on the caller's executor") {
  const auto loop_thread = std::this_thread::get_id();
  std::vector<bool> same_thread;
  const auto ask = [&](std::string id) -> asio::awaitable<void> {
    co_await save_one(journal, id, told);
    same_thread.push_back(std::this_thread::get_id() == loop_thread);
  };
  for (const char* id : {"1", "2", "3"}) tasks.spawn(id, ask(id));
  io.run();
  CHECK(told == std::vector<std::string>{"1", "2", "3"});
  CHECK(same_thread == std::vector<bool>{true, true, true});
  journal.close();
  CHECK(open(folder.path)->incidents(10).size() == 3);
}

TEST_CASE_FIXTURE(Asking, "the loop goes on while the journal's disk is slow") {
  Gate gate;
  const auto other_work = [&]() -> asio::awaitable<void> {
    told.push_back("loop");
    gate.let_through();
    co_return;
  };
  tasks.spawn("gate", wait_at(journal, gate));
  tasks.spawn("save", save_one(journal, "1", told));
  tasks.spawn("other", other_work());
  io.run();
  CHECK(told == std::vector<std::string>{"loop", "1"});
}

TEST_CASE_FIXTURE(Asking, "what is asked beyond the bound of the journal's queue is refused and counted") {
  Gate gate;
  tasks.spawn("gate", wait_at(journal, gate));
  while (journal.waiting() > 0 || told.empty()) {
    io.poll();
    if (journal.waiting() == 0) told.push_back("at the gate");
  }
  const std::size_t asked = watcher::JournalThread::waiting_max + 2;
  for (std::size_t i = 0; i < asked; ++i) tasks.spawn("save", save_one(journal, std::to_string(i), told));
  const auto open_gate = [&]() -> asio::awaitable<void> {
    gate.let_through();
    co_return;
  };
  tasks.spawn("open", open_gate());
  io.run();
  CHECK(journal.refused() == 2);
  const auto faults = std::count_if(told.begin(), told.end(), [](const auto& t) { return t.substr(0, 5) == "fault"; });
  CHECK(static_cast<std::size_t>(faults) == journal.refused());
}

TEST_CASE_FIXTURE(Asking,
                  "closing the journal's thread does what waits, and what is asked afterwards answers with a fault") {
  tasks.spawn("save", save_one(journal, "1", told));
  tasks.spawn("save", save_one(journal, "2", told));
  const auto close = [&]() -> asio::awaitable<void> {
    journal.close();
    co_await save_one(journal, "3", told);
  };
  tasks.spawn("close", close());
  io.run();
  REQUIRE(told.size() == 3);
  CHECK(std::count_if(told.begin(), told.end(), [](const auto& t) { return contains(t, "the watcher stops"); }) == 1);
  CHECK(open(folder.path)->incidents(10).size() == 2);
}

TEST_CASE_FIXTURE(Asking, "the journal's thread reads what was saved") {
  bool read = false;
  const auto ask = [&]() -> asio::awaitable<void> {
    std::vector<rules::Record> records;
    records.emplace_back(incident("1", 1));
    records.emplace_back(step("1", 0, 2));
    records.emplace_back(revision("r1", 1, rules::Standing::good));
    const auto fault = co_await journal.save(std::move(records));
    CHECK_FALSE(fault);
    const auto incidents = co_await journal.incidents(10);
    CHECK(incidents.size() == 1);
    const auto one = co_await journal.incident(rules::IncidentId("1"));
    CHECK(one.has_value());
    const auto steps = co_await journal.steps(rules::IncidentId("1"));
    CHECK(steps.size() == 1);
    const auto ledger = co_await journal.ledger();
    CHECK(ledger.size() == 1);
    const bool held = co_await journal.reserve_held();
    CHECK(held);
    const auto reserve = co_await journal.keep_reserve();
    CHECK_FALSE(reserve);
    const auto alive = co_await journal.alive(at(100));
    CHECK_FALSE(alive);
    const auto accepted = co_await journal.accept_state();
    CHECK_FALSE(accepted);
    read = true;
  };
  tasks.spawn("ask", ask());
  io.run();
  CHECK(read);
}

TEST_CASE_FIXTURE(Asking, "memory that runs out in a task of the journal costs that task alone") {
  std::vector<bool> done;
  const auto starve = [&]() -> asio::awaitable<void> {
    std::function<void(watcher::Journal&)> work = [](watcher::Journal&) { throw std::bad_alloc(); };
    const bool is_done = co_await journal.use(std::move(work));
    done.push_back(is_done);
  };
  tasks.spawn("starving", starve());
  tasks.spawn("saving", save_one(journal, "1", told));
  io.run();
  CHECK(done == std::vector<bool>{false});
  CHECK(told == std::vector<std::string>{"1"});
}
