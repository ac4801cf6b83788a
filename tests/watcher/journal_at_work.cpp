#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "at_work_support.hpp"
#include "journal_support.hpp"
#include "watcher/journal/at_work.hpp"

using at_work_support::at_work_of;
using at_work_support::Orphan;
using journal_support::contains;
using journal_support::Folder;

TEST_CASE("what is at work is read back as it was written") {
  const Folder folder;
  const Orphan orphan;
  watcher::AtWork written = at_work_of(orphan.pid());
  written.step = {rules::IncidentId("20261121-020304-web"), 1, rules::PlanSection::on_failure, 2, 3};
  // A longer line was there before: what is left of it is not read.
  watcher::AtWork longer = written;
  longer.step.incident.text += "-and-much-more-of-it";
  REQUIRE_FALSE(watcher::write_at_work(folder.path, longer));
  REQUIRE_FALSE(watcher::write_at_work(folder.path, written));
  const auto found = watcher::left_at_work(folder.path);
  REQUIRE(found);
  CHECK(found->step == written.step);
  CHECK(found->process.pid == orphan.pid());
  CHECK(found->process.started == written.process.started);
  CHECK(found->until == written.until);
  CHECK(found->limit == written.limit);
}

TEST_CASE("nothing is left at work when its process has ended, or another has its number, or it was before this boot") {
  const Folder folder;
  Orphan orphan;
  const watcher::AtWork running = at_work_of(orphan.pid());
  watcher::AtWork reused = running;
  ++reused.process.started;
  REQUIRE_FALSE(watcher::write_at_work(folder.path, reused));
  CHECK_FALSE(watcher::left_at_work(folder.path));
  watcher::AtWork of_before = running;
  of_before.process.boot = "00000000-0000-0000-0000-000000000000";
  REQUIRE_FALSE(watcher::write_at_work(folder.path, of_before));
  CHECK_FALSE(watcher::left_at_work(folder.path));
  REQUIRE_FALSE(watcher::write_at_work(folder.path, running));
  CHECK(watcher::left_at_work(folder.path));
  orphan.end();
  CHECK_FALSE(watcher::left_at_work(folder.path));
}

TEST_CASE("a file that nobody of us wrote names nobody") {
  const Orphan orphan;
  const std::string good = watcher::line_of(at_work_of(orphan.pid()));
  CHECK(watcher::at_work_in(good));
  CHECK(watcher::at_work_in(good + "\nmore"));
  for (const std::string& bad : {std::string(), std::string("at-work"), "x" + good, good.substr(0, good.size() / 2),
                                 std::string("at-work boot b pid 1 started 1 until_ns 1 limit_ns 1 rung 0 section 0 "
                                             "step 0 attempt 0 incident i"),
                                 std::string("at-work boot b pid 9 started 1 until_ns 1 limit_ns 1 rung 0 section 9 "
                                             "step 0 attempt 0 incident i")}) {
    CAPTURE(bad);
    CHECK_FALSE(watcher::at_work_in(bad));
  }
  const Folder folder;
  CHECK_FALSE(watcher::left_at_work(folder.path));
}

TEST_CASE("the host's lock is not to be had while what a killed holder began is at work") {
  const Folder folder;
  const std::string file = folder.path + "/host.lock";
  ::setenv("ROLLBACKD_HOST_LOCK", file.c_str(), 1);
  Orphan orphan;
  std::string holder;
  auto lock = watcher::HostLock::try_take("incident i1", "", holder);
  REQUIRE(lock);
  lock->note(at_work_of(orphan.pid()));
  CHECK(watcher::HostLock::try_take("deployment of web", "", holder) == nullptr);
  CHECK(contains(holder, "incident i1"));
  CHECK_FALSE(contains(holder, "at-work"));
  // A kill frees the lock and leaves the file as it is.
  const std::string kept = folder.path + "/kept";
  std::filesystem::copy_file(file, kept);
  lock.reset();
  CHECK(watcher::HostLock::try_take("deployment of web", "", holder) != nullptr);
  std::filesystem::copy_file(kept, file, std::filesystem::copy_options::overwrite_existing);
  CHECK(watcher::HostLock::try_take("deployment of web", "", holder) == nullptr);
  CHECK(contains(holder, "pid " + std::to_string(orphan.pid())));
  CHECK(contains(holder, "left at work for incident i1"));
  orphan.end();
  CHECK(watcher::HostLock::try_take("deployment of web", "", holder) != nullptr);
  ::unsetenv("ROLLBACKD_HOST_LOCK");
}
