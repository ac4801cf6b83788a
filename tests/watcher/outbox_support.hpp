#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "journal_support.hpp"
#include "notify_receiver.hpp"
#include "probes/net/task_group.hpp"
#include "watcher/notify/outbox.hpp"

using namespace journal_support;
using namespace notify_receiver;
using namespace std::chrono_literals;
namespace asio = boost::asio;

// A watcher's part that tells people, to be driven by a test.

namespace outbox_support {

struct ManualClock final : probes::Clock {
  rules::Instant time = at(0);
  rules::Instant now() const override { return time; }
};

inline watcher::NotifierSection notifier(const std::string& name, const std::string& url) {
  watcher::NotifierSection section;
  section.name = rules::NotifierName(name);
  section.url = {.value = url};
  section.template_text = "{title}";
  return section;
}

inline rules::Tell message(const std::string& incident, rules::Stage stage, const std::string& title, double seconds) {
  rules::Tell tell;
  tell.stage = stage;
  tell.context.incident = rules::IncidentId(incident);
  tell.title = title;
  tell.at = at(seconds);
  return tell;
}

inline asio::awaitable<void> save(watcher::JournalThread& journal, std::vector<rules::Record> records,
                                  std::vector<watcher::OutboxEntry> entries, bool& done) {
  const auto fault = co_await journal.save(records, entries);
  CHECK_FALSE(fault);
  done = true;
}

// A watcher's part that tells people, with a clock of the test's.
struct Telling {
  asio::io_context io;
  ManualClock clock;
  watcher::JournalThread journal;
  std::map<rules::IncidentId, rules::Situation> situations;  // of what is not over
  watcher::Outbox outbox;
  probes::TaskGroup tasks;

  Telling(const std::string& folder, std::vector<watcher::NotifierSection> notifiers)
      : journal(io.get_executor(), open(folder)),
        outbox(io.get_executor(), clock, std::move(notifiers), "prod-1", journal,
               [this](const rules::IncidentId& id) { return stands(id); }),
        tasks(io.get_executor()) {
    tasks.spawn("outbox", outbox.loop());
  }
  ~Telling() {
    tasks.cancel();
    until([&] { return tasks.size() == 0; });
  }

  template <class Condition>
  void until(Condition condition) {
    for (int turns = 0; turns < 3000 && !condition(); ++turns) io.run_one_for(10ms);
    REQUIRE(condition());
  }
  std::optional<rules::Situation> stands(const rules::IncidentId& id) const {
    const auto found = situations.find(id);
    return found == situations.end() ? std::nullopt : std::optional(found->second);
  }
  // As the core has it: what is told is where it stands, until its end is told.
  void tell(const rules::Tell& tell, std::vector<rules::Record> records = {}) {
    const bool is_over = tell.stage == rules::Stage::completed;
    if (is_over) situations.erase(tell.context.incident);
    if (!is_over && !tell.notifier && !tell.context.incident.empty()) {
      rules::Situation& now = situations[tell.context.incident];
      now.message = tell;
      if (tell.stage != rules::Stage::ask) now.message.stage = rules::Stage::progress;
    }
    bool done = false;
    tasks.spawn("save", save(journal, std::move(records), outbox.entries(tell), done));
    until([&] { return done; });
    outbox.wake();
  }
  void advance(rules::Duration by) {
    clock.time += by;
    outbox.wake();
  }
  watcher::Outbox::Counts counts(const std::string& name) const {
    const auto found = outbox.counts().find(rules::NotifierName(name));
    return found == outbox.counts().end() ? watcher::Outbox::Counts() : found->second;
  }
};

inline std::vector<std::string> bodies(const Receiver& receiver) {
  std::vector<std::string> result;
  for (const std::string& request : receiver.requests()) result.push_back(body_of(request));
  return result;
}

inline std::string key_of(const std::string& request) {
  const std::size_t begin = request.find("Idempotency-Key: ");
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

inline std::string fine(const std::string&) { return status("200 OK"); }

}  // namespace outbox_support
