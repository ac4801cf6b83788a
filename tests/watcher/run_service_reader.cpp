#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <vector>

#include "probes/net/result.hpp"
#include "probes/net/task_group.hpp"
#include "somebody_else.hpp"
#include "test_folder.hpp"
#include "watcher/run/service_reader.hpp"

namespace {

namespace asio = boost::asio;

// Answers with the revisions it was given, the last one for ever, and like a real driver does not let a cancellation
// throw: it has a child to end first.
class ScriptedDriver final : public watcher::Driver {
 public:
  explicit ScriptedDriver(std::vector<std::string> revisions) : revisions_(std::move(revisions)) {}

  asio::awaitable<rules::RevisionRead> identify() override {
    co_await asio::this_coro::throw_if_cancelled(false);
    rules::RevisionRead read;
    read.revision = rules::Revision(revisions_[std::min(looks, revisions_.size() - 1)]);
    ++looks;
    co_return read;
  }
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision>) override {
    rules::ReadinessRead read;
    read.ready = true;
    co_return read;
  }
  asio::awaitable<watcher::NameMeans> meaning_of(std::string name) override {
    watcher::NameMeans means;
    means.knows_names = true;
    means.why_none = "no tag";
    if (const auto found = tags.find(name); found != tags.end()) means.meant.emplace_back(found->second);
    co_return means;
  }
  asio::awaitable<std::vector<std::string>> taken_away(rules::Revision to, std::vector<std::string> files) override {
    std::vector<std::string> gone;
    if (to.text == "v1" && std::find(files.begin(), files.end(), "/app/warm") != files.end()) gone = {"/app/warm"};
    co_return gone;
  }
  asio::awaitable<rules::StepResult> switch_to(watcher::SwitchRequest) override { co_return rules::StepResult{}; }
  std::string aftermath() const override { return ""; }

  void be_patient() override { ++patient; }

  std::size_t looks = 0;
  std::size_t patient = 0;
  std::map<std::string, std::string> tags;

 private:
  std::vector<std::string> revisions_;
};

struct Reading {
  asio::io_context io;
  ScriptedDriver driver;
  std::vector<rules::RevisionRead> reads;
  std::size_t wanted;
  probes::TaskGroup tasks{io.get_executor()};
  watcher::ServiceReader reader;

  Reading(std::vector<std::string> revisions, watcher::DriverSection section, std::size_t reads_wanted)
      : driver(std::move(revisions)),
        wanted(reads_wanted),
        reader(driver, section, [this](rules::Event event) { came(std::move(event)); }) {}

  void came(rules::Event event) {
    if (const auto* read = std::get_if<rules::RevisionRead>(&event)) reads.push_back(*read);
    if (reads.size() < wanted) {
      reader.read_now();
    } else {
      tasks.cancel();
    }
  }

  void run() {
    tasks.spawn("reader", reader.loop());
    const auto limit = std::chrono::seconds(30);
    io.run_for(limit);
  }
};

// Its look lasts until it is cancelled, and then is a fault.
class EndlessDriver final : public watcher::Driver {
 public:
  asio::awaitable<rules::RevisionRead> identify() override {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, std::chrono::hours(1));
    co_await timer.async_wait(probes::as_result);
    rules::RevisionRead read;
    read.error = "cancelled";
    co_return read;
  }
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision>) override {
    co_return rules::ReadinessRead{};
  }
  asio::awaitable<rules::StepResult> switch_to(watcher::SwitchRequest) override { co_return rules::StepResult{}; }
  std::string aftermath() const override { return ""; }
};

watcher::DriverSection section_with_schema(std::vector<std::string> schema) {
  watcher::DriverSection section;
  section.identify_interval = std::chrono::hours(1);  // only what is asked for is read
  section.schema = std::move(schema);
  return section;
}

}  // namespace

TEST_CASE("the reader of revisions ends when it is cancelled, though its driver does not let that throw") {
  Reading reading({"v1"}, section_with_schema({}), 3);
  reading.run();
  CHECK(reading.tasks.size() == 0);
  CHECK(reading.reads.size() == 3);
}

TEST_CASE("a revision is read at once when asked, however long the interval") {
  Reading reading({"v1", "v2"}, section_with_schema({}), 2);
  reading.run();
  REQUIRE(reading.reads.size() == 2);
  CHECK(reading.reads[0].revision == rules::Revision("v1"));
  CHECK(reading.reads[1].revision == rules::Revision("v2"));
}

TEST_CASE("a look that is asked for may take as long as a busy host needs, and the usual ones may not") {
  Reading asked({"v1"}, section_with_schema({}), 3);
  asked.run();
  CHECK(asked.driver.patient > 0);
  Reading usual({"v1"}, section_with_schema({}), 1);
  usual.run();
  CHECK(usual.driver.patient == 0);
  usual.reader.read_until_agreed();
  CHECK(usual.driver.patient == 1);
}

TEST_CASE("as many looks as have to agree follow each other when a deployment has ended, however long the interval") {
  asio::io_context io;
  ScriptedDriver driver({"v1", "v2"});
  probes::TaskGroup tasks(io.get_executor());
  std::vector<std::string> seen;
  watcher::ServiceReader* asked = nullptr;
  watcher::ServiceReader reader(driver, section_with_schema({}), [&](const rules::Event& event) {
    const auto* const read = std::get_if<rules::RevisionRead>(&event);
    if (read == nullptr) return;
    seen.push_back(read->revision->text);
    if (seen.size() == 1) asked->read_until_agreed();
    if (seen.size() == 3) tasks.cancel();
  });
  asked = &reader;
  tasks.spawn("reader", reader.loop());
  const auto limit = std::chrono::seconds(30);
  io.run_for(limit);
  CHECK(seen == std::vector<std::string>{"v1", "v2", "v2"});
}

TEST_CASE(
    "with the readiness comes what the names in the plans mean, and one that is none is why it could not switch") {
  for (const bool responds : {true, false}) {
    asio::io_context io;
    ScriptedDriver driver({"v1"});
    driver.tags = {{"stable", "3f2a9c"}};
    probes::TaskGroup tasks(io.get_executor());
    rules::ReadinessRead ready;
    auto deliver = [&](const rules::Event& event) {
      const auto* const read = std::get_if<rules::ReadinessRead>(&event);
      if (read == nullptr) return;
      ready = *read;
      tasks.cancel();
    };
    watcher::ServiceReader reader(driver, section_with_schema({}), std::move(deliver),
                                  {.names = {{"stable", true}, {"stalbe", responds}}});
    tasks.spawn("reader", reader.loop());
    const auto limit = std::chrono::seconds(30);
    io.run_for(limit);
    REQUIRE(ready.names.size() == 2);
    CHECK(ready.names[0].revision.text == "3f2a9c");
    CHECK(ready.names[1].revision.empty());
    CHECK(ready.ready != responds);
    CHECK(ready.reason == (responds ? "switch = \"stalbe\": no tag" : ""));
  }
}

TEST_CASE(
    "what a plan runs when it has switched, and is not there then, is in the way, and of a plan for people it is not") {
  for (const char* const target : {"v1", "v2", ""}) {
    CAPTURE(target);
    asio::io_context io;
    ScriptedDriver driver({"v3"});
    probes::TaskGroup tasks(io.get_executor());
    rules::ReadinessRead ready;
    auto deliver = [&](const rules::Event& event) {
      const auto* const read = std::get_if<rules::ReadinessRead>(&event);
      if (read == nullptr) return;
      ready = *read;
      tasks.cancel();
    };
    watcher::ServiceReader::Plans plans;
    plans.why_not_by_hand = [] { return "action.restore.step 1: no such command"; };
    plans.target = [target] { return rules::Revision(target); };
    plans.run_there = {{"build", "/app/build"}, {"action.rollback.step 2", "/app/warm"}};
    watcher::ServiceReader reader(driver, section_with_schema({}), std::move(deliver), std::move(plans));
    tasks.spawn("reader", reader.loop());
    io.run_for(std::chrono::seconds(30));
    const bool is_there = std::string(target) != "v1";
    CHECK(ready.ready == is_there);
    const std::string why = "action.rollback.step 2: /app/warm is not in v1, which is checked out by then; ";
    CHECK(ready.reason.substr(0, why.size()) == (is_there ? "" : why));
    CHECK(ready.by_hand == "action.restore.step 1: no such command");
  }
}

TEST_CASE("the schema's version comes with each revision, its first line alone") {
  Reading reading({"v1", "v1", "v2"}, section_with_schema({"printf", "0042 (head)\\nsecond line\\n"}), 3);
  reading.run();
  REQUIRE(reading.reads.size() == 3);
  for (const rules::RevisionRead& read : reading.reads) CHECK(read.schema == "0042 (head)");
}

TEST_CASE("the schema is read anew at each look, for a release may migrate after it was checked out") {
  const std::string counts = std::filesystem::temp_directory_path() / ("schema-" + std::to_string(::getpid()));
  Reading reading({"v1"}, section_with_schema({"sh", "-c", "echo x >> " + counts + "; wc -l < " + counts}), 3);
  reading.run();
  std::filesystem::remove(counts);
  REQUIRE(reading.reads.size() == 3);
  CHECK(reading.reads[0].schema == "1");
  CHECK(reading.reads[2].schema == "3");
}

TEST_CASE("a schema that cannot be read is unknown, and the revision is told all the same") {
  Reading reading({"v1"}, section_with_schema({"false"}), 2);
  reading.run();
  REQUIRE(reading.reads.size() == 2);
  CHECK(reading.reads[0].schema.empty());
  CHECK(reading.reads[0].revision == rules::Revision("v1"));
}

TEST_CASE("why a schema cannot be read is logged once, not at every look") {
  std::ostringstream said;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said)));
  Reading reading({"v1"}, section_with_schema({"false"}), 4);
  reading.run();
  spdlog::set_default_logger(before);
  CHECK(reading.reads.size() == 4);
  const std::string text = said.str();
  CHECK(text.find("exit_code=1") != std::string::npos);
  CHECK(text.find("exit_code=1") == text.rfind("exit_code=1"));
}

TEST_CASE("a look at the revision that is cut short by a reload tells nothing") {
  asio::io_context io;
  EndlessDriver driver;
  int told = 0;
  watcher::ServiceReader reader(driver, section_with_schema({}), [&told](const rules::Event&) { ++told; });
  probes::TaskGroup tasks(io.get_executor());
  tasks.spawn("reader", reader.loop());
  io.poll();
  tasks.cancel();
  const auto limit = std::chrono::seconds(30);
  io.run_for(limit);
  CHECK(tasks.size() == 0);
  CHECK(told == 0);
}

TEST_CASE("the schema of a checkout is asked for as its owner, whose code that runs") {
  if (!can_be_somebody_else()) return;
  const TestFolder folder;
  give_to_nobody(folder.path);
  watcher::DriverSection section = section_with_schema({"id", "-un"});
  watcher::GitDriver git;
  git.dir = folder.path;
  section.dir = folder.path;
  section.driver = git;
  Reading reading({"v1"}, section, 2);
  reading.run();
  REQUIRE(reading.reads.size() == 2);
  CHECK(reading.reads[0].schema == "nobody");
}
