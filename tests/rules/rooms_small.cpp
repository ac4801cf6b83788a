#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rules/base/name_index.hpp"
#include "rules/base/ordered_times.hpp"
#include "rules/engine/acting/host_lock.hpp"
#include "rules/engine/acting/limits.hpp"
#include "rules/engine/acting/neighbours.hpp"
#include "rules/engine/event_queue.hpp"
#include "rules/engine/evidence/uptime.hpp"
#include "rules/engine/evidence/warming.hpp"
#include "rules/engine/incident/ids.hpp"
#include "rules/engine/incident/ladder.hpp"

// The small rooms, each alone.

using namespace std::chrono_literals;
using rules::ActionName;
using rules::Instant;
using rules::ProbeName;
using rules::Up;

namespace {

const Instant noon = Instant(std::chrono::hours(24 * 365 * 50));

std::vector<ActionName> actions(std::initializer_list<const char*> names) {
  std::vector<ActionName> out;
  for (const char* name : names) out.emplace_back(name);
  return out;
}

rules::Poll poll(const char* probe, Up up, Instant started) {
  rules::Poll out;
  out.probe = ProbeName(probe);
  out.started = out.ended = started;
  out.up = up;
  return out;
}

rules::StepResult result(rules::StepStatus status) { return {status, std::nullopt, "deploy of anna", "", 0}; }

struct OneService {
  rules::ServiceSpec spec;
  rules::Fuse fuse;
  rules::Effects effects{noon};
  int saves = 0;
  rules::Limits limits{spec, fuse, effects, [this] { ++saves; }};
};

}  // namespace

TEST_CASE("what is due is found in the order of time, and moves when it is set again") {
  rules::OrderedTimes due;
  due.set(0, noon + 3s);
  due.set(1, noon + 1s);
  due.set(2, noon + 1s);
  CHECK(due.next() == noon + 1s);
  due.set(1, noon + 5s);
  CHECK(due.take(noon + 3s) == std::vector<std::size_t>{2, 0});
  CHECK(due.next() == noon + 5s);
  due.set(1, std::nullopt);
  CHECK(due.next() == Instant::max());
}

TEST_CASE("what is due comes in order whatever was set, set again and taken out before") {
  rules::OrderedTimes due;
  std::map<std::size_t, Instant> model;
  unsigned state = 1;
  const auto random = [&state](unsigned below) { return (state = state * 1664525 + 1013904223) / 65536 % below; };
  for (int i = 0; i < 3000; ++i) {
    const std::size_t thing = random(40);
    const Instant at = noon + std::chrono::seconds(random(50));
    const bool goes = random(4) == 0;
    due.set(thing, goes ? std::nullopt : std::optional(at));
    goes ? void(model.erase(thing)) : void(model[thing] = at);
    CHECK(due.of(thing) == (goes ? std::nullopt : std::optional(at)));
    if (i % 10 != 0) continue;
    const Instant now = noon + std::chrono::seconds(random(20));
    std::set<std::pair<Instant, std::size_t>> expected;
    for (const auto& [one, when] : model) {
      if (when <= now) expected.emplace(when, one);
    }
    std::vector<std::size_t> in_order;
    for (const auto& [when, one] : expected) in_order.push_back(one);
    for (const std::size_t one : in_order) model.erase(one);
    REQUIRE(due.take(now) == in_order);
  }
}

TEST_CASE("events are heard in the order of their times, and of equal times in that of their coming") {
  rules::EventQueue queue;
  CHECK(queue.next() == Instant::max());
  std::multimap<Instant, std::string> expected;
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    if (random() % 5 < 2 && !expected.empty()) {
      REQUIRE(queue.next() == expected.begin()->first);
      CHECK(std::get<rules::SelfDegraded>(queue.take()).reason == expected.begin()->second);
      expected.erase(expected.begin());
    }
    // Now and then all are heard, so that it begins anew.
    while (i % 300 == 299 && !expected.empty()) {
      CHECK(std::get<rules::SelfDegraded>(queue.take()).reason == expected.begin()->second);
      expected.erase(expected.begin());
    }
    CHECK(queue.empty() == expected.empty());
    rules::SelfDegraded event;
    event.at = Instant(std::chrono::seconds(i / 3 + static_cast<int>(random() % 4)));
    event.reason = std::to_string(i);
    expected.emplace(event.at, event.reason);
    queue.add(event.at, std::move(event));
  }
}

TEST_CASE("names are found by their numbers, and others are not, however many there are") {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back("probe" + std::to_string(i));
  rules::NameIndex index;
  CHECK_FALSE(index.find("probe0"));
  for (const std::string& name : names) index.add(name);
  for (std::size_t i = 0; i < names.size(); ++i) CHECK(index.find(names[i]) == i);
  CHECK_FALSE(index.find("probe1000"));
  CHECK_FALSE(index.find(""));
  index.clear();
  CHECK_FALSE(index.find("probe0"));
}

TEST_CASE("uptime is the worst of all probes, and what goes stale is unknown") {
  rules::Uptime uptime;
  CHECK(uptime.worst() == Up::unknown);
  uptime.watch({std::nullopt, std::nullopt});
  uptime.saw(0, Up::up, noon + 10s);
  CHECK(uptime.worst() == Up::unknown);
  uptime.saw(1, Up::up, noon + 20s);
  CHECK(uptime.worst() == Up::up);
  uptime.saw(1, Up::down, noon + 20s);
  CHECK(uptime.worst() == Up::down);
  CHECK(uptime.next_change() == noon + 10s);
  CHECK(uptime.take_stale(noon + 10s) == std::vector<std::size_t>{0});
  CHECK(uptime.worst() == Up::down);
  // The second is the first now, with what was known of it.
  uptime.watch({1});
  CHECK(uptime.worst() == Up::down);
  CHECK(uptime.next_change() == noon + 20s);
  uptime.watch({std::nullopt, std::nullopt});
  CHECK(uptime.worst() == Up::unknown);
}

TEST_CASE("warm-up ends with the first answer to what was asked after it began, or with its time") {
  rules::Warming warming;
  const std::set<ProbeName> probes{ProbeName("a"), ProbeName("b")};
  warming.begin(probes, noon, noon + 5min);
  CHECK_FALSE(warming.polled(poll("a", Up::up, noon - 1s)));
  CHECK_FALSE(warming.polled(poll("a", Up::down, noon + 1s)));
  CHECK(warming.polled(poll("a", Up::up, noon + 2s)));
  CHECK_FALSE(warming.covers({ProbeName("a")}, noon + 3s));
  CHECK(warming.covers(probes, noon + 3s));
  CHECK(warming.next_end(noon + 3s) == noon + 5min);
  CHECK_FALSE(warming.covers(probes, noon + 5min));
  // What was not up yet gets no further time.
  warming.begin_where_up(probes, noon + 4min, noon + 9min);
  CHECK(warming.covers({ProbeName("a")}, noon + 6min));
  CHECK_FALSE(warming.covers({ProbeName("b")}, noon + 6min));
}

TEST_CASE("where a service says whether it is up, warm-up ends with the first poll of each probe after that") {
  rules::Warming warming;
  const std::set<ProbeName> probes{ProbeName("health"), ProbeName("sign_in"), ProbeName("page")};
  warming.heed(ProbeName("health"));
  warming.begin(probes, noon, noon + 5min);
  // Its own answer is not enough, nor is health of before it began.
  CHECK_FALSE(warming.polled(poll("page", Up::up, noon + 1s)));
  CHECK_FALSE(warming.polled(poll("health", Up::up, noon - 1s)));
  CHECK_FALSE(warming.polled(poll("sign_in", Up::down, noon + 1s)));
  CHECK(warming.end_of(probes, noon + 2s) == noon + 5min);
  CHECK(warming.polled(poll("health", Up::up, noon + 2s)));
  CHECK_FALSE(warming.covers({ProbeName("health")}, noon + 3s));
  CHECK(warming.covers({ProbeName("sign_in")}, noon + 3s));
  // Never up, and polled since: it is down.
  CHECK(warming.polled(poll("sign_in", Up::down, noon + 4s)));
  CHECK_FALSE(warming.covers({ProbeName("sign_in")}, noon + 4s));
  CHECK(warming.polled(poll("page", Up::up, noon + 4s)));
  CHECK_FALSE(warming.end_of(probes, noon + 5s).has_value());
  // A new instance begins it anew, health included.
  warming.begin_where_up(probes, noon + 1min, noon + 6min);
  CHECK_FALSE(warming.polled(poll("sign_in", Up::up, noon + 61s)));
  CHECK(warming.polled(poll("health", Up::up, noon + 62s)));
  CHECK(warming.polled(poll("sign_in", Up::down, noon + 64s)));
}

TEST_CASE("rungs of a rule that joins come first or last among the untried, and none stands twice") {
  const auto ladder = actions({"restart", "rollback"});
  CHECK(with_rungs(ladder, 1, actions({"traffic", "restart"}), rules::Untried::last) ==
        actions({"restart", "rollback", "traffic"}));
  CHECK(with_rungs(ladder, 1, actions({"traffic", "rollback"}), rules::Untried::first) ==
        actions({"restart", "traffic", "rollback"}));
  CHECK(with_rungs({}, 0, actions({"rollback"}), rules::Untried::first) == actions({"rollback"}));
}

TEST_CASE("two that fire within the longer `for` of each other have a common cause, unless one depends on the other") {
  rules::Neighbours neighbours;
  rules::ServiceSpec web;
  web.name = rules::ServiceName("web");
  rules::ServiceSpec api;
  api.name = rules::ServiceName("api");
  neighbours.know(web, nullptr);
  neighbours.know(api, nullptr);
  neighbours.fired(web.name, noon, 1min);
  CHECK(neighbours.in_trouble_with(web.name).empty());
  neighbours.fired(api.name, noon + 5min, 5min);
  CHECK(neighbours.in_trouble_with(web.name) == "api");
  CHECK(neighbours.in_trouble_with(api.name) == "web");
  neighbours.fired(api.name, noon + 5min + 1ns, 5min);
  CHECK(neighbours.in_trouble_with(web.name).empty());
  web.depends_on = {api.name};
  neighbours.fired(api.name, noon, 5min);
  neighbours.know(web, nullptr);
  CHECK(neighbours.in_trouble_with(web.name).empty());
  CHECK(neighbours.in_trouble_with(api.name).empty());
}

TEST_CASE("the host's lock is one incident's at a time, asked for again with growing pauses, and given up in the end") {
  rules::Effects effects(noon);
  rules::HostLock host;
  rules::LockClaim first(host, effects);
  rules::LockClaim second(host, effects);
  const rules::StepId one{rules::IncidentId("one"), 0, rules::PlanSection::steps, 0, 0};
  const rules::StepId two{rules::IncidentId("two"), 0, rules::PlanSection::steps, 0, 0};
  CHECK_FALSE(first.have(one));
  CHECK_FALSE(second.have(two));
  CHECK(effects.take().size() == 1);
  CHECK(host.owner() == one.incident);
  first.answered(result(rules::StepStatus::failed));
  CHECK(first.is_refused());
  CHECK(first.holder() == "deploy of anna");
  CHECK(first.retry_at() == noon + 1s);
  CHECK_FALSE(first.have(one));
  effects.go_to(noon + 1s);
  CHECK_FALSE(first.have(one));
  first.answered(result(rules::StepStatus::failed));
  CHECK(first.retry_at() == noon + 3s);
  CHECK_FALSE(first.is_given_up(1min));
  effects.go_to(noon + 1min);
  CHECK(first.is_given_up(1min));
  first.be_patient_again();
  CHECK_FALSE(first.is_given_up(1min));
  CHECK_FALSE(first.have(one));
  first.answered(result(rules::StepStatus::succeeded));
  CHECK(first.have(one));
  first.release();
  CHECK_FALSE(host.owner());
  first.release();
  CHECK(effects.take().size() == 3);
}

TEST_CASE("limits: pause, cooldown and rungs come back from the record, and every change is saved") {
  OneService s;
  s.limits.pause(noon + 1h, "load test");
  s.limits.mutation_ended();
  s.limits.start_higher(rules::RuleName("errors"), 1);
  CHECK(s.saves == 3);
  rules::ServiceRecord record;
  s.limits.put_into(record);
  OneService again;
  again.limits.restore(record);
  CHECK(again.limits.is_paused());
  CHECK(again.limits.cooling_until() == noon + s.spec.cooldown);
  CHECK(again.limits.rung_of(rules::RuleName("errors")) == 1);
  again.effects.go_to(noon + 1h);
  CHECK_FALSE(again.limits.is_paused());
  CHECK(again.limits.pause_is_over());
  CHECK_FALSE(again.limits.cooling_until());
  again.limits.revision_appeared();
  CHECK(again.limits.rung_of(rules::RuleName("errors")) == 0);
}

TEST_CASE("limits: three actions in an hour blow the fuse, a reset starts all anew") {
  OneService s;
  for (int action = 0; action < 3; ++action) {
    CHECK(s.limits.blown(nullptr, false).empty());
    s.limits.action_begins(rules::IncidentId("i"), false, rules::Revision("v2"));
  }
  CHECK_FALSE(s.limits.blown(nullptr, false).empty());
  CHECK(s.limits.has_acted_unidentified());
  s.limits.reset();
  CHECK(s.limits.blown(nullptr, false).empty());
  CHECK_FALSE(s.limits.has_acted_unidentified());
}

TEST_CASE("an incident's name is nobody else's, whatever services and rules are called") {
  using rules::ServiceName;
  rules::IncidentIds ids;
  ids.know(rules::IncidentId("20191220-000001-web-slow"));
  CHECK(ids.take(noon + 1s, ServiceName("web"), "slow").text == "20191220-000001-web-slow-2");
  CHECK(ids.take(noon + 1s, ServiceName("web"), "slow").text == "20191220-000001-web-slow-3");
  CHECK(ids.take(noon + 1s, ServiceName("web-slow"), "3").text == "20191220-000001-web-slow-3-2");
  CHECK(ids.take(noon + 1s, ServiceName("web"), "errors").text == "20191220-000001-web-errors");
  CHECK(ids.take(noon + 1s, ServiceName("web"), "slow").text == "20191220-000001-web-slow-4");
  CHECK(ids.take(noon + 2s, ServiceName("web"), "slow").text == "20191220-000002-web-slow");
}
