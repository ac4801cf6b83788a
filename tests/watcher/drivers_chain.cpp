#include <boost/asio/io_context.hpp>

#include "drivers_support.hpp"
#include "watcher/drivers/driver_chain.hpp"
#include "watcher/steps/redact.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;

rules::StepResult done(const std::string& detail) {
  rules::StepResult result;
  result.status = StepStatus::succeeded;
  result.detail = detail;
  return result;
}

rules::StepResult failed(const std::string& detail, bool nothing_begun) {
  rules::StepResult result;
  result.detail = detail;
  result.nothing_begun = nothing_begun;
  return result;
}

// What a driver says is the test's.
struct Said {
  std::string runs;  // empty: it cannot be read
  std::string why_not;
  rules::StepResult answer = done("done");
  std::string unfinished;
  std::vector<std::string> means;
  std::vector<watcher::SwitchRequest> switched;
  std::vector<std::string> asked_ready;  // for what
  int identified = 0;
};

class Scripted final : public watcher::Driver {
 public:
  explicit Scripted(Said& said) : said_(said) {}

  watcher::asio::awaitable<rules::RevisionRead> identify() override {
    ++said_.identified;
    rules::RevisionRead read;
    read.service = rules::ServiceName("web");
    read.started = rules::from_unix_seconds(1'800'000'000);
    read.ended = read.started + 1ms;
    if (said_.runs.empty())
      read.error = "cannot be read";
    else
      read.revision = rules::Revision(said_.runs);
    read.unfinished = said_.unfinished;
    co_return read;
  }
  watcher::asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override {
    said_.asked_ready.push_back(to ? to->text : "-");
    co_return watcher::readiness_of(rules::ServiceName("web"), said_.why_not, rules::Instant());
  }
  watcher::asio::awaitable<watcher::NameMeans> meaning_of(std::string) override {
    watcher::NameMeans means;
    means.knows_names = true;
    for (const std::string& one : said_.means) means.meant.emplace_back(one);
    if (means.meant.empty()) means.why_none = "no such name";
    co_return means;
  }
  watcher::asio::awaitable<std::vector<std::string>> taken_back(rules::Revision from, rules::Revision to,
                                                                std::size_t) override {
    std::vector<std::string> lines(1, from.text + ".." + to.text);
    co_return lines;
  }
  std::vector<std::string> asks_for(const rules::Revision&, const rules::Revision& to) const override {
    return {"POST " + to.text};
  }
  watcher::asio::awaitable<std::vector<watcher::EvidenceCommand>> evidence() override {
    std::vector<watcher::EvidenceCommand> out(1);
    out[0].file = "logs.txt";
    co_return out;
  }
  std::vector<std::string> secrets() const override { return {"secret of " + said_.runs}; }
  watcher::asio::awaitable<rules::StepResult> switch_to(watcher::SwitchRequest request) override {
    said_.switched.push_back(request);
    co_return said_.answer;
  }
  std::string aftermath() const override { return {}; }

 private:
  Said& said_;
};

// compose, which says what runs, and http, which calls v2 "2".
struct Fixture {
  Folder folder;
  CountingClock clock;
  Said compose;
  Said http;
  bool compose_resumes = false;

  std::unique_ptr<watcher::Chain> chain() {
    std::vector<watcher::ChainLink> links(2);
    links[0] = {"compose", std::make_unique<Scripted>(compose), true, compose_resumes};
    links[1] = {"http", std::make_unique<Scripted>(http), true, true};
    return std::make_unique<watcher::Chain>(rules::ServiceName("web"), std::move(links), folder.path, 60s, clock);
  }
  // One look of the watcher's.
  static rules::ReadinessRead look(watcher::Driver& driver, const std::string& to = "") {
    run_here(driver.identify());
    std::optional<rules::Revision> target;
    if (!to.empty()) target = rules::Revision(to);
    return run_here(driver.still_ready(target));
  }
  void run(watcher::Driver& driver, const std::string& revision, const std::string& name, int looks = 2) {
    compose.runs = revision;
    http.runs = name;
    for (int count = 0; count < looks; ++count) look(driver);
  }
  // v1 ran, and then came v2.
  std::unique_ptr<watcher::Chain> on_v2() {
    auto driver = chain();
    run(*driver, "v1", "1");
    run(*driver, "v2", "2");
    return driver;
  }
};

}  // namespace

TEST_CASE("of several drivers the first that is ready does it, and by the name that it has for the revision") {
  Fixture fixture;
  const auto driver = fixture.on_v2();
  CHECK(running(*driver) == "v2");
  const rules::StepResult first = switch_to(*driver, "v2", "v1");
  CHECK(first.status == StepStatus::succeeded);
  CHECK(first.detail == "done (by compose)");
  CHECK(fixture.compose.switched.size() == 1);
  CHECK(fixture.http.switched.empty());

  Fixture other;
  const auto slower = other.on_v2();
  other.compose.why_not = "the image is gone";
  const rules::StepResult second = switch_to(*slower, "v2", "v1");
  CHECK(second.status == StepStatus::succeeded);
  CHECK(second.detail == "done (by http, since compose: the image is gone)");
  CHECK(other.compose.switched.empty());
  REQUIRE(other.http.switched.size() == 1);
  CHECK(other.http.switched[0].from.text == "2");
  CHECK(other.http.switched[0].to.text == "1");
  CHECK(other.http.switched[0].env.at("ROLLBACKD_TO") == "1");
  CHECK(other.http.asked_ready.back() == "1");
}

TEST_CASE("what one refuses before it changes anything the next one does, and what one has changed nobody follows") {
  Fixture refused;
  const auto driver = refused.on_v2();
  refused.compose.answer = failed("a merge is under way", true);
  CHECK(switch_to(*driver, "v2", "v1").detail == "done (by http, since compose: a merge is under way)");
  CHECK(refused.compose.switched.size() == 1);
  CHECK(refused.http.switched.size() == 1);

  Fixture broken;
  const auto other = broken.on_v2();
  broken.compose.answer = failed("the create failed", false);
  const rules::StepResult result = switch_to(*other, "v2", "v1");
  CHECK(result.status == StepStatus::failed);
  CHECK_FALSE(result.nothing_begun);
  CHECK(contains(result.detail, "the create failed (by compose)"));
  CHECK(broken.http.switched.empty());
}

TEST_CASE("when none of several drivers is ready nothing is begun, and each says why") {
  Fixture fixture;
  const auto driver = fixture.on_v2();
  fixture.compose.why_not = "the image is gone";
  fixture.http.why_not = "Bad credentials";
  const rules::ReadinessRead read = Fixture::look(*driver, "v1");
  CHECK_FALSE(read.ready);
  CHECK(read.reason == "compose: the image is gone; http: Bad credentials");
  const rules::StepResult result = switch_to(*driver, "v2", "v1");
  CHECK(result.nothing_begun);
  CHECK(result.detail == "compose: the image is gone; http: Bad credentials");
  CHECK((fixture.compose.switched.empty() && fixture.http.switched.empty()));
}

TEST_CASE("where none has begun the next plan of the same incident chooses anew") {
  Fixture fixture;
  const auto driver = fixture.on_v2();
  fixture.compose.why_not = "x";
  fixture.http.answer = failed("the workflow is disabled", true);
  CHECK(switch_to(*driver, "v2", "v1").nothing_begun);
  fixture.compose.why_not = "";
  CHECK(switch_to(*driver, "v2", "v1").detail == "done (by compose)");
}

TEST_CASE("each of several drivers says whether it is ready, and one is enough") {
  Fixture fixture;
  const auto driver = fixture.on_v2();
  const auto asks = [&] { return driver->asks_for(rules::Revision("v2"), rules::Revision("v1")); };
  Fixture::look(*driver, "v1");
  CHECK(asks() == std::vector<std::string>{"POST v1"});
  fixture.compose.why_not = "the image is gone";
  const rules::ReadinessRead read = Fixture::look(*driver, "v1");
  CHECK(read.ready);
  REQUIRE(read.drivers.size() == 2);
  CHECK(read.drivers[0] == rules::DriverReadiness{"compose", "the image is gone"});
  CHECK(read.drivers[1] == rules::DriverReadiness{"http", ""});
  CHECK(asks() == std::vector<std::string>{"POST 1"});
}

TEST_CASE("a driver that has no name for the target is not ready for it") {
  Fixture fixture;
  const auto driver = fixture.chain();
  fixture.run(*driver, "v1", "");  // its endpoint does not answer
  fixture.run(*driver, "v2", "2");
  const rules::ReadinessRead read = Fixture::look(*driver, "v1");
  CHECK(read.ready);
  CHECK(contains(read.drivers[1].why_not, "what it calls v1 is not known"));
  fixture.compose.why_not = "the image is gone";
  CHECK(switch_to(*driver, "v2", "v1").nothing_begun);
  CHECK(fixture.http.switched.empty());
}

TEST_CASE("a name that comes before its revision or stays after it is not taken for another's") {
  Fixture fixture;
  const auto driver = fixture.chain();
  fixture.run(*driver, "v1", "1");
  fixture.run(*driver, "v1", "2", 5);  // v2 is checked out and built
  fixture.run(*driver, "v2", "2");
  fixture.run(*driver, "v3", "2", 5);  // its predecessor still answers
  fixture.run(*driver, "v3", "3");
  fixture.compose.why_not = "the image is gone";
  switch_to(*driver, "v3", "v2");
  switch_to(*driver, "v3", "v1");
  REQUIRE(fixture.http.switched.size() == 2);
  CHECK(fixture.http.switched[0].to.text == "2");
  CHECK(fixture.http.switched[0].from.text == "3");
  CHECK(fixture.http.switched[1].to.text == "1");
}

TEST_CASE("a single look gives no name, and what has the name of two revisions brings neither") {
  Fixture once;
  const auto driver = once.chain();
  once.run(*driver, "v1", "1", 1);
  once.run(*driver, "v2", "2");
  once.compose.why_not = "x";
  CHECK(switch_to(*driver, "v2", "v1").nothing_begun);

  Fixture twice;
  const auto other = twice.on_v2();
  twice.run(*other, "v3", "1");  // made with the same version once more
  twice.compose.why_not = "x";
  const rules::StepResult result = switch_to(*other, "v3", "v1");
  CHECK(result.nothing_begun);
  CHECK(contains(result.detail, "it calls v1 1, and v3 too"));

  Fixture same;
  const auto third = same.chain();
  same.run(*third, "v1", "1");
  same.run(*third, "v2", "1", 5);  // another configuration of the same version
  same.compose.why_not = "x";
  CHECK(contains(switch_to(*third, "v2", "v1").detail, "it says that 1, by which it knows v1, runs already"));
}

TEST_CASE("a driver that cannot say what runs is given the names of the one that can") {
  Folder folder;
  CountingClock clock;
  Said git;
  Said script;
  git.runs = "abc";
  git.why_not = "a merge is under way";
  std::vector<watcher::ChainLink> links(2);
  links[0] = {"command", std::make_unique<Scripted>(script), false, false};
  links[1] = {"git", std::make_unique<Scripted>(git), true, true};
  watcher::Chain chain(rules::ServiceName("web"), std::move(links), folder.path, 60s, clock);
  CHECK(running(chain) == "abc");
  CHECK(switch_to(chain, "abc", "def").status == StepStatus::succeeded);
  REQUIRE(script.switched.size() == 1);
  CHECK(script.switched[0].to.text == "def");
  CHECK(script.identified == 0);
}

TEST_CASE("names are known after a restart, and are another's when another driver says what runs") {
  Fixture fixture;
  fixture.on_v2();
  const auto again = fixture.chain();
  running(*again);
  fixture.compose.why_not = "x";
  CHECK(switch_to(*again, "v2", "v1").status == StepStatus::succeeded);
  CHECK(fixture.http.switched.at(0).to.text == "1");
  write(fixture.folder.path + "/drivers/web.json", "{\"names\":");
  const auto damaged = fixture.chain();
  CHECK(contains(ready(*damaged).reason, "web.json cannot be read"));
  const rules::StepResult result = switch_to(*damaged, "v2", "v1");
  CHECK(result.nothing_begun);
  CHECK(contains(result.detail, "web.json cannot be read"));
}

TEST_CASE("a watcher that was killed takes up the driver that had begun, and no other one") {
  Fixture fixture;
  fixture.compose_resumes = true;
  const auto driver = fixture.on_v2();
  fixture.compose.why_not = "the image is gone";
  CHECK(switch_to(*driver, "v2", "v1").status ==
        StepStatus::succeeded);  // and it is killed before that is written down
  fixture.compose.why_not = "";
  const auto again = fixture.chain();
  running(*again);
  const rules::StepResult result = switch_to(*again, "v2", "v1");
  CHECK(result.detail == "done (by http)");
  CHECK(fixture.http.switched.size() == 2);
  CHECK(fixture.compose.switched.empty());
  // Also when it refuses now what it had begun then.
  fixture.http.answer = failed("is stuck", true);
  const auto third = fixture.chain();
  switch_to(*third, "v2", "v1");
  CHECK(fixture.compose.switched.empty());
}

TEST_CASE("a driver that cannot take up what it had begun does not begin anew unless the step bears it") {
  Fixture fixture;
  const auto driver = fixture.on_v2();
  switch_to(*driver, "v2", "v1");
  const auto again = fixture.chain();
  const rules::StepResult result = switch_to(*again, "v2", "v1");
  CHECK(result.status == StepStatus::interrupted);
  CHECK(contains(result.detail, "compose had begun it when rollbackd ended"));
  CHECK_FALSE(result.nothing_begun);
  CHECK(fixture.compose.switched.size() == 1);
  CHECK(fixture.http.switched.empty());
  watcher::SwitchRequest request;
  request.from = rules::Revision("v2");
  request.to = rules::Revision("v1");
  request.incident = rules::IncidentId("20261121-020304-web-errors");
  request.may_repeat = true;
  CHECK(run_here(again->switch_to(std::move(request))).status == StepStatus::succeeded);
  CHECK(fixture.compose.switched.size() == 2);
}

TEST_CASE("another incident chooses anew, and what the last one left unfinished is told") {
  Fixture fixture;
  const auto driver = fixture.on_v2();
  fixture.compose.why_not = "x";
  fixture.http.answer = failed("the run goes on", false);
  switch_to(*driver, "v2", "v1");
  fixture.http.unfinished = "a run may still switch";
  CHECK(identify(*driver).unfinished == "http: a run may still switch");
  fixture.http.unfinished = "";
  CHECK(identify(*driver).unfinished.empty());
  const int asked = fixture.http.identified;
  identify(*driver);
  CHECK(fixture.http.identified == asked);  // nothing is left of it
  fixture.compose.why_not = "";
  watcher::SwitchRequest request;
  request.from = rules::Revision("v2");
  request.to = rules::Revision("v1");
  request.incident = rules::IncidentId("another");
  CHECK(contains(run_here(driver->switch_to(std::move(request))).detail, "by compose"));
}

TEST_CASE("what people call a revision may be any driver's name for it") {
  Fixture fixture;
  const auto driver = fixture.on_v2();
  const auto means = [&](const std::string& name) { return run_here(driver->meaning_of(name)); };
  REQUIRE(means("1").meant.size() == 1);
  CHECK(means("1").meant[0].text == "v1");
  fixture.http.means = {"2"};  // a tag of what it calls 2
  CHECK(means("release-2").meant.at(0).text == "v2");
  fixture.http.means = {};
  CHECK(means("none").meant.empty());
  CHECK(means("none").why_none == "no such name");
}

TEST_CASE("evidence, secrets and what is taken back come from each of several drivers") {
  Fixture fixture;
  const auto driver = fixture.on_v2();
  const auto evidence = run_here(driver->evidence());
  REQUIRE(evidence.size() == 2);
  CHECK(evidence[0].file == "logs.txt");
  CHECK(evidence[1].file == "http-logs.txt");
  CHECK(driver->secrets() == std::vector<std::string>{"secret of v2", "secret of 2"});
  CHECK(run_here(driver->taken_back(rules::Revision("v2"), rules::Revision("v1"), 20)) ==
        std::vector<std::string>{"v2..v1", "2..1"});
}

TEST_CASE("why one of several drivers could not switch is told without secrets") {
  rules::ReadinessRead read;
  read.drivers = {{"http", "GET https://ci.test/?token=hunter22: 401"}};
  rules::Event event = read;
  watcher::redact(event, {"hunter22"});
  CHECK(std::get<rules::ReadinessRead>(event).drivers[0].why_not == "GET https://ci.test/?token=<redacted>: 401");
}
