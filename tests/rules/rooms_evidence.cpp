#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine_world.hpp"
#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/revisions/revisions.hpp"

// Evidence and Revisions, without an engine around them.

using namespace std::chrono_literals;
using rules::Instant;
using rules::ProbeName;
using rules::Up;

namespace {

const Instant noon = Instant(std::chrono::hours(24 * 365 * 50));

rules::CoreConfig with_probes(int count) {
  rules::CoreConfig config;
  rules::ServiceSpec web;
  web.name = rules::ServiceName("web");
  web.has_driver = web.has_identity = true;
  config.services.push_back(web);
  for (int i = 0; i < count; ++i) {
    rules::ProbeShape shape;
    shape.name = ProbeName("p" + std::to_string(i));
    config.probes.push_back(shape);
    config.rules.push_back(world::rule("down" + std::to_string(i), shape.name.text + ".up == 0", 30s));
  }
  return config;
}

// The two rooms and what they stand on.
struct House {
  explicit House(int probes) : config(with_probes(probes)) {
    evidence.watch();
    revisions.watch();
  }

  void poll(int probe, Up up) {
    rules::Poll out;
    out.probe = ProbeName("p" + std::to_string(probe));
    out.started = out.ended = effects.now();
    out.up = up;
    measurements.observe(out);
    evidence.polled(out, evidence.number_of(out.probe));
  }
  std::vector<rules::WatchedRule*> take_looked_at() {
    std::vector<rules::WatchedRule*> out;
    evidence.take_looked_at(out);
    return out;
  }
  void look(const std::string& revision) {
    rules::RevisionRead read;
    read.service = config.services[0].name;
    read.started = read.ended = effects.now();
    read.revision = rules::Revision(revision);
    revisions.looked(read, false);
    revisions.see(read, std::nullopt);
    evidence.look_again();
  }
  void pass(rules::Duration d) {
    effects.go_to(effects.now() + d);
    evidence.advance();
  }

  rules::CoreConfig config;
  rules::Effects effects{noon};
  rules::OwnTrouble trouble{rules::Mode::act, effects};
  rules::Measurements measurements{config.probes, config.signals, rules::all_conditions(config)};
  rules::ProbeFaults faults{effects};
  rules::Ledger ledger;
  rules::Fuse fuse;
  int saves = 0;
  rules::Limits limits{config.services[0], fuse, effects, [this] { ++saves; }};
  rules::Measuring measuring{config, measurements, trouble, faults, effects};
  rules::Evidence evidence{config.services[0], measuring};
  rules::Revisions revisions{config.services[0], {ledger, evidence, limits, effects, [this] { ++saves; }}};
};

}  // namespace

TEST_CASE("a poll has only the rules of its probe looked at") {
  House house(100);
  for (int i = 0; i < 100; ++i) house.poll(i, Up::up);
  house.pass(5s);
  house.take_looked_at();
  house.poll(7, Up::down);
  const std::vector<rules::WatchedRule*> looked_at = house.take_looked_at();
  REQUIRE(looked_at.size() == 1);
  CHECK(looked_at[0]->name().text == "down7");
  CHECK(house.evidence.is_any_bad());
  CHECK(house.evidence.worst_up() == Up::down);
}

TEST_CASE("all rules are looked at when what was measured counts differently") {
  House house(10);
  for (int i = 0; i < 10; ++i) house.poll(i, Up::up);
  house.take_looked_at();
  house.evidence.look_again();
  CHECK(house.take_looked_at().empty());
  house.evidence.count_from(house.effects.now() + 1s);
  house.evidence.look_again();
  CHECK(house.take_looked_at().size() == 10);
  house.evidence.deploying_until(house.effects.now() + 10s);
  house.evidence.look_again();
  CHECK(house.take_looked_at().size() == 10);
  CHECK(house.evidence.next_change() <= house.effects.now() + 10s);
  house.pass(10s);
  CHECK(house.take_looked_at().size() == 10);
  CHECK_FALSE(house.evidence.is_deploying());
}

TEST_CASE("a rule whose probe falls silent is looked at when what it said goes stale") {
  House house(2);
  house.poll(0, Up::down);
  house.poll(1, Up::up);
  house.take_looked_at();
  CHECK(house.evidence.find(rules::RuleName("down0"))->is(rules::Verdict::bad));
  while (house.evidence.next_change() <= noon + 13s) house.pass(house.evidence.next_change() - house.effects.now());
  CHECK(house.evidence.find(rules::RuleName("down0"))->is(rules::Verdict::unknown));
  CHECK(house.evidence.worst_up() == Up::unknown);
}

TEST_CASE(
    "the first revision is adopted as good, the next one is seen twice, then judged, and its evidence begins anew") {
  House house(1);
  house.look("v1");
  CHECK(house.revisions.running().text == "v1");
  CHECK_FALSE(house.revisions.is_armed());
  house.poll(0, Up::down);
  house.pass(10s);
  house.look("v2");
  CHECK(house.revisions.is_unconfirmed());
  CHECK(house.revisions.running().text == "v1");
  house.pass(10s);
  house.look("v2");
  CHECK(house.revisions.running().text == "v2");
  CHECK(house.revisions.is_armed());
  CHECK(house.revisions.is_preexisting(rules::RuleName("down0")));
  CHECK(house.revisions.last_good(house.revisions.running()) == rules::Revision("v1"));
  CHECK(house.evidence.is_warming());
  CHECK(house.evidence.find(rules::RuleName("down0"))->is(rules::Verdict::unknown));
}

TEST_CASE("a revision that was left is quarantined or suspect, and what is quarantined stays so") {
  House house(1);
  house.look("v1");
  house.revisions.judge_left(rules::Revision("v1"), rules::Standing::bad);
  house.revisions.judge_left(rules::Revision("v1"), rules::Standing::suspect);
  CHECK(house.revisions.find(rules::Revision("v1"))->standing == rules::Standing::bad);
  CHECK(house.revisions.declare(rules::Revision("v1"), rules::Standing::good, false));
  CHECK_FALSE(house.revisions.declare(rules::Revision("v9"), rules::Standing::good, false));
}
