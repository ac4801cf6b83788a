#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>

#include "failing_journal.hpp"
#include "journal_support.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/run/deeds.hpp"
#include "watcher/serve/metrics.hpp"

namespace {

// Stands still, or moves on by as much each time that somebody looks.
class SteppingClock final : public probes::Clock {
 public:
  rules::Instant now() const override { return journal_support::at(0) + step * looks_++; }
  rules::Duration step{};

 private:
  mutable int looks_ = 0;
};

watcher::NotifierSection people() {
  watcher::NotifierSection section;
  section.name = rules::NotifierName("people");
  return section;
}

// Deeds in a state directory of their own, with an engine that knows nothing: what is carried out is what is seen.
struct Stage {
  journal_support::Folder folder;
  boost::asio::io_context io;
  SteppingClock clock;
  rules::Engine engine{rules::CoreConfig{}, rules::DurableState{}, journal_support::at(0)};
  watcher::EngineLoop loop{io.get_executor(), clock, engine};
  int saves_to_fail = 0;
  watcher::JournalThread journal{io.get_executor(), std::make_unique<FailingJournal>(
                                                        journal_support::open(folder.path + "/state"), saves_to_fail)};
  watcher::Outbox outbox{io.get_executor(), clock, {people()}, "test", journal, {}};
  watcher::Metrics metrics;
  probes::Resolver resolver;
  probes::TaskGroup tasks{io.get_executor()};
  watcher::Deeds deeds{io.get_executor(),
                       watcher::Means{clock, loop, journal, outbox, metrics, tasks, folder.path + "/state"}};

  Stage() { equip(nullptr); }

  void equip(std::shared_ptr<const watcher::Config> config) {
    watcher::Deeds::Tools tools;
    tools.config = std::move(config);
    tools.equipment = std::make_shared<watcher::Equipment>(std::make_shared<const watcher::Config>());
    tools.reader_of = [](const auto&) { return nullptr; };
    tools.performer = std::make_shared<watcher::Performer>(folder.path + "/incidents", resolver,
                                                           watcher::Performer::Services(), std::vector<std::string>());
    deeds.equip(std::move(tools));
  }

  void carry_out(watcher::Batch batch) {
    tasks.spawn("batch", deeds.carry_out(std::move(batch)));
    io.restart();
    const auto limit = std::chrono::seconds(30);
    io.run_for(limit);
    REQUIRE(tasks.size() == 0);
  }

  std::string mark() const { return folder.path + "/the-step-ran"; }
};

rules::Perform step_that_marks(const Stage& stage) {
  rules::Perform perform;
  perform.id.incident = rules::IncidentId("i1");
  perform.step.what = rules::RunStep{{"touch", stage.mark()}};
  perform.step.timeout = std::chrono::seconds(10);
  perform.context.service = rules::ServiceName("web");
  perform.context.incident = perform.id.incident;
  perform.mutating = true;
  return perform;
}

rules::StepRecord intent_of(const rules::Perform& perform) {
  rules::StepRecord record;
  record.id = perform.id;
  record.kind = "run";
  record.started = journal_support::at(0);
  return record;
}

watcher::Batch intent_and_deed(const Stage& stage) {
  watcher::Batch batch;
  const rules::Perform perform = step_that_marks(stage);
  batch.push_back(rules::Save{journal_support::incident("i1", 0)});
  batch.push_back(rules::Save{intent_of(perform)});
  batch.push_back(perform);
  return batch;
}

}  // namespace

TEST_CASE("a step is done after its intent has become durable") {
  Stage stage;
  stage.carry_out(intent_and_deed(stage));
  CHECK(std::filesystem::exists(stage.mark()));
  stage.journal.close();
  const auto reopened = journal_support::open(stage.folder.path + "/state");
  CHECK(reopened->steps(rules::IncidentId("i1")).size() == 1);
}

TEST_CASE("what a mutating step runs is written down while it runs, for the next start and for everybody on the host") {
  Stage stage;
  const std::string lock_file = stage.folder.path + "/host.lock";
  setenv("ROLLBACKD_HOST_LOCK", lock_file.c_str(), 1);
  rules::LockHost lock;
  lock.id.incident = rules::IncidentId("i1");
  rules::Perform perform = step_that_marks(stage);
  perform.id.step = 3;
  const std::string at_work = stage.folder.path + "/state/at-work";
  const std::string script = "until grep -q pid.$$ " + at_work + " && grep -q pid.$$ " + lock_file +
                             "; do sleep 0.01; done; cp " + at_work + " " + stage.mark();
  perform.step.what = rules::RunStep{{"sh", "-c", script}};
  stage.carry_out({lock, rules::Save{journal_support::incident("i1", 0)}, rules::Save{intent_of(perform)}, perform});
  unsetenv("ROLLBACKD_HOST_LOCK");
  const auto written = watcher::at_work_in(watcher::read_small(stage.mark()));
  REQUIRE(written);
  CHECK(written->step == perform.id);
  CHECK(written->limit == perform.step.timeout);
  CHECK(written->until == journal_support::at(10));
  CHECK_FALSE(watcher::left_at_work(stage.folder.path + "/state"));
}

TEST_CASE("a step whose intent cannot be written is not done, and neither is the host's lock taken") {
  Stage stage;
  stage.journal.close();  // every save is a fault from here on
  watcher::Batch batch = intent_and_deed(stage);
  rules::LockHost lock;
  lock.id.incident = rules::IncidentId("i1");
  lock.id.step = rules::lock_step;
  batch.push_back(lock);
  const std::string lock_file = stage.folder.path + "/host.lock";
  setenv("ROLLBACKD_HOST_LOCK", lock_file.c_str(), 1);
  stage.carry_out(std::move(batch));
  unsetenv("ROLLBACKD_HOST_LOCK");
  CHECK_FALSE(std::filesystem::exists(stage.mark()));
  CHECK_FALSE(std::filesystem::exists(lock_file));
}

TEST_CASE("what a disk did not take is saved together with what comes next") {
  Stage stage;
  std::filesystem::remove(stage.folder.path + "/state/reserve");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);
  stage.carry_out({rules::Save{journal_support::incident("i1", 0)}});
  CHECK(stage.deeds.save_failed());
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  static_cast<void>(std::signal(SIGXFSZ, handler));
  stage.carry_out({rules::Save{journal_support::incident("i2", 1)}});
  stage.journal.close();
  const auto reopened = journal_support::open(stage.folder.path + "/state");
  CHECK(reopened->incident(rules::IncidentId("i1")).has_value());
  CHECK(reopened->incident(rules::IncidentId("i2")).has_value());
}

TEST_CASE("a deployment and a plan exclude each other on the host, until each has ended") {
  Stage stage;
  const std::string lock_file = stage.folder.path + "/host.lock";
  setenv("ROLLBACKD_HOST_LOCK", lock_file.c_str(), 1);
  const rules::ServiceName web("web");
  const rules::ServiceName worker("worker");
  CHECK(stage.deeds.lock_for_deployment(web, "uid 1").empty());
  CHECK(stage.deeds.lock_for_deployment(web, "uid 1").empty());  // begun twice: still ours
  CHECK(stage.deeds.lock_for_deployment(worker, "uid 2").find("deployment of web") != std::string::npos);
  CHECK(stage.deeds.lock_for_deployment(worker, "uid 1").empty());
  rules::EngineView view;
  view.services.emplace_back();
  view.services.back().service = web;
  view.services.back().deploying = true;
  stage.deeds.release_ended_deployments(view);
  CHECK(stage.deeds.deployment_under_way());
  view.services.back().deploying = false;
  stage.deeds.release_ended_deployments(view);
  CHECK_FALSE(stage.deeds.deployment_under_way());
  CHECK(stage.deeds.lock_for_deployment(worker, "uid 2").empty());
  unsetenv("ROLLBACKD_HOST_LOCK");
}

TEST_CASE("a report that is being written when the watcher stops is waited for") {
  Stage stage;
  watcher::Config config;
  config.watcher.state_dir = stage.folder.path + "/state";
  stage.equip(std::make_shared<const watcher::Config>(std::move(config)));
  probes::TaskGroup loops{stage.io.get_executor()};
  const auto stop = [](watcher::Deeds& deeds, probes::TaskGroup& all) -> boost::asio::awaitable<void> {
    co_await deeds.reports_written();
    all.cancel();
  };
  watcher::Batch batch;
  for (const char* id : {"i1", "i2"}) {
    batch.push_back(rules::Save{journal_support::incident(id, 0)});
    batch.push_back(rules::WriteReport{rules::IncidentId(id)});
  }
  loops.spawn("reports", stage.deeds.write_reports());
  stage.tasks.spawn("batch", stage.deeds.carry_out(std::move(batch)));
  while (stage.tasks.size() > 0) stage.io.run_one();
  stage.tasks.spawn("stop", stop(stage.deeds, loops));
  const auto limit = std::chrono::seconds(30);
  stage.io.run_for(limit);
  CHECK(loops.size() == 0);
  CHECK(std::filesystem::exists(stage.folder.path + "/state/incidents/i1/report.md"));
  CHECK(std::filesystem::exists(stage.folder.path + "/state/incidents/i2/report.md"));
}

TEST_CASE("what could not be saved is saved with what comes next, and people are told of it") {
  Stage stage;
  rules::FuseRecord fuse;
  fuse.service = rules::ServiceName("web");
  fuse.at = journal_support::at(1);
  fuse.use = rules::FuseUse::switched;
  rules::Tell tell;
  tell.stage = rules::Stage::failed;
  tell.title = "web: not rolled back";
  tell.at = journal_support::at(900);  // not due: what is due is told from memory
  stage.saves_to_fail = 1;
  stage.carry_out({rules::Save{fuse}, rules::Save{journal_support::incident("i1", 0)}, tell});
  CHECK(stage.deeds.save_failed());
  stage.carry_out({rules::Save{journal_support::incident("i2", 0)}});
  stage.journal.close();
  const auto reopened = journal_support::open(stage.folder.path + "/state");
  CHECK(reopened->found().durable.fuse.size() == 1);
  CHECK(reopened->incidents(9).size() == 2);
  CHECK(reopened->due(journal_support::at(1000), 9).size() == 1);
}

TEST_CASE("an intent that could be written only at the second attempt costs no step") {
  Stage stage;
  stage.saves_to_fail = 1;
  stage.carry_out(intent_and_deed(stage));
  CHECK(std::filesystem::exists(stage.mark()));
}

TEST_CASE("an intent is given up after half a minute, also when each attempt takes as long itself") {
  Stage stage;
  stage.saves_to_fail = 1;
  stage.clock.step = std::chrono::seconds(31);
  stage.carry_out(intent_and_deed(stage));
  CHECK_FALSE(std::filesystem::exists(stage.mark()));
  CHECK(stage.deeds.save_failed());
}

TEST_CASE("a deployment of a service that a reload took away gives the host back") {
  Stage stage;
  const std::string lock_file = stage.folder.path + "/host.lock";
  setenv("ROLLBACKD_HOST_LOCK", lock_file.c_str(), 1);
  CHECK(stage.deeds.lock_for_deployment(rules::ServiceName("web"), "").empty());
  const rules::EngineView nothing;
  stage.deeds.release_ended_deployments(nothing);
  CHECK_FALSE(stage.deeds.deployment_under_way());
  unsetenv("ROLLBACKD_HOST_LOCK");
}
