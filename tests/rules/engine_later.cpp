#include <doctest/doctest.h>

#include <algorithm>

#include "engine_world.hpp"
#include "rules/incidents/story.hpp"

// What is looked at when an incident is over: it is told, and decides nothing.

using namespace world;
using rules::LaterEnd;

namespace {

rules::LaterSpec later(Duration after, const std::string& when, const std::string& text = "") {
  rules::LaterSpec out;
  out.after = after;
  if (!when.empty()) out.when = condition(when);
  out.text = text;
  return out;
}

rules::CoreConfig looking_later() {
  return with([](rules::CoreConfig& config) {
    config.actions[0].later = {later(30min, "web_errors < 1%", "look at the queue"), later(2h, "", "remove the flag")};
  });
}

void recover(World& w) {
  harm(w);
  REQUIRE(w.run_until([&] { return w.outcome() == "recovered"; }, 30min));
}

// Nothing can be measured any more from ten minutes before the first look on.
void recover_unmeasured(World& w) {
  recover(w);
  w.run(20min);
  w.reality["web"].probes_work = false;
}

LaterEnd end_of(const World& w, std::size_t check) { return w.last()->later.at(check).end; }

long lines(const rules::IncidentRecord& incident) {
  return std::count_if(incident.timeline.begin(), incident.timeline.end(),
                       [](const rules::TimelineEntry& line) { return line.event == rules::story::later; });
}

}  // namespace

TEST_CASE("what is looked at later is told at its time, once, and written into the closed incident") {
  World w(looking_later());
  recover(w);
  CHECK(w.told_text("In 30m it is looked at whether web_errors < 1%. Until then: look at the queue."));
  CHECK(w.told_text("In 2h people are reminded of: remove the flag."));
  CHECK(w.service().later.size() == 2);
  const Instant ended = *w.last()->closed;
  w.run(29min);
  CHECK(end_of(w, 0) == LaterEnd::waits);
  w.run(1min);
  CHECK(end_of(w, 0) == LaterEnd::holds);
  CHECK(*w.last()->later[0].ended == ended + 30min);
  CHECK(w.told_text("web: 30m after it recovered: web_errors < 1% holds"));
  CHECK(w.told_text("web_errors < 1% holds: web_errors < 1%, it is 0.0 %.\nTo be done by now: look at the queue"));
  CHECK(w.service().later.size() == 1);
  w.run(90min);
  CHECK(end_of(w, 1) == LaterEnd::reminded);
  CHECK(w.told_text("2h after it recovered: to be done by now: remove the flag"));
  CHECK(lines(*w.last()) == 2);
  CHECK(w.service().later.empty());
  CHECK(w.all().size() == 1);
  CHECK(w.deeds.size() == 1);
}

TEST_CASE("what does not hold later is told to whoever is told of failures, and nothing is done") {
  World w(looking_later());
  w.reality["web"].extra_errors = 0.02;
  recover(w);
  const int failed = w.told(rules::Stage::failed);
  w.run(30min);
  CHECK(end_of(w, 0) == LaterEnd::does_not_hold);
  CHECK(w.told(rules::Stage::failed) == failed + 1);
  CHECK(w.told_text("web_errors < 1%, it is 2"));  // per cent, not 0.02
  CHECK(w.deeds.size() == 1);
  CHECK(w.outcome() == "recovered");
}

TEST_CASE("what cannot be measured later is unknown and not bad, after a while in which it might have been") {
  World w(looking_later());
  recover_unmeasured(w);
  w.run(10min);
  CHECK(end_of(w, 0) == LaterEnd::waits);
  w.run(6min);
  CHECK(end_of(w, 0) == LaterEnd::unknown);
  CHECK(w.told(rules::Stage::failed) == 0);
  CHECK(w.told_text("whether web_errors < 1% holds cannot be measured"));
}

TEST_CASE("what can be measured again soon after its time is looked at then") {
  World w(looking_later());
  recover_unmeasured(w);
  w.run(11min);
  w.reality["web"].probes_work = true;
  w.run(3min);
  CHECK(end_of(w, 0) == LaterEnd::holds);
}

TEST_CASE("a newer release ends what was to be looked at later") {
  World w(looking_later());
  recover(w);
  w.run(10min);
  w.deploy("v3");
  w.run(2min);
  CHECK(end_of(w, 0) == LaterEnd::not_looked_at);
  CHECK(end_of(w, 1) == LaterEnd::not_looked_at);
  CHECK(w.told_text("is not looked at any more: another release runs"));
  CHECK(w.told_text("Until then was to be done: look at the queue"));
  CHECK_FALSE(w.told_text("To be done by now"));
  w.run(3h);
  CHECK(lines(*w.last()) == 2);
}

TEST_CASE("what was not verified has nothing that is looked at later") {
  World w(looking_later());
  w.scripts["switch last-good"] = {rules::StepStatus::failed, 1s, false};
  harm(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 30min));
  CHECK(w.outcome() != "recovered");
  CHECK(w.last()->later.empty());
}

TEST_CASE("what is looked at later survives the watcher, and what came due meanwhile is looked at when it is back") {
  World w(looking_later());
  recover(w);
  w.run(10min);
  w.crash(45min);
  CHECK(w.service().later.size() == 2);
  w.run(6min);
  CHECK(end_of(w, 0) == LaterEnd::holds);
  w.crash(2h);
  w.run(1min);
  CHECK(end_of(w, 1) == LaterEnd::reminded);
  w.crash();
  w.run(3h);
  CHECK(lines(*w.last()) == 2);
}

TEST_CASE("a clock set back over restarts puts a later check off by its whole time at most, and once") {
  World w(looking_later());
  recover(w);
  for (rules::LaterCheck& check : w.journal.incidents.at(w.last()->id.text).later) check.due += 10h;
  w.crash();
  const Instant back = w.now();
  w.run(20min);
  CHECK(end_of(w, 0) == LaterEnd::waits);
  w.crash();
  w.run(9min);
  CHECK(end_of(w, 0) == LaterEnd::waits);
  REQUIRE(w.run_until([&] { return end_of(w, 0) != LaterEnd::waits; }, 3min));
  CHECK(*w.last()->later[0].ended <= back + 30min + 5s);
}

TEST_CASE("what the configuration has no more is told not to be looked at") {
  World w(looking_later());
  recover(w);
  w.reload(usual());
  w.run(2h);
  CHECK(end_of(w, 0) == LaterEnd::not_looked_at);
  CHECK(end_of(w, 1) == LaterEnd::reminded);
}

TEST_CASE("a later check is looked at to the moment, whenever the probes are polled") {
  rules::CoreConfig config = looking_later();
  config.actions[0].later[0].after = 30min + 1700ms;
  World w(config);
  recover(w);
  w.run(31min);
  CHECK(*w.last()->later[0].ended == *w.last()->closed + 30min + 1700ms);
}

TEST_CASE("what belongs to a service that has left the configuration is told not to be looked at, once") {
  const auto with_api = [](rules::CoreConfig config) {
    add_api(config);
    return config;
  };
  rules::CoreConfig without_web = with_api(usual());
  std::erase_if(without_web.services.own(), [](const auto& one) { return one.name.text == "web"; });
  std::erase_if(without_web.rules.own(), [](const auto& one) { return one.service.text == "web"; });
  for (const bool at_a_start : {false, true}) {
    CAPTURE(at_a_start);
    World w(with_api(looking_later()));
    recover(w);
    if (at_a_start)
      w.crash_into(without_web);
    else
      w.reload(without_web);
    w.run(1s);
    CHECK(end_of(w, 0) == LaterEnd::not_looked_at);
    CHECK(end_of(w, 1) == LaterEnd::not_looked_at);
    CHECK(w.told_text("is not looked at any more: service web is not in the configuration any more"));
    CHECK(w.told_text("Until then was to be done: look at the queue"));
    const auto told = w.tells.size();
    w.crash();
    w.run(3h);
    CHECK(lines(*w.last()) == 2);
    CHECK(w.tells.size() == told);
  }
}

TEST_CASE("who is told only of what stays open is told of what does not hold later, and of nothing else") {
  for (const double errors : {0.0, 0.02}) {
    World w(looking_later());
    w.reality["web"].extra_errors = errors;
    recover(w);
    w.run(31min);
    CHECK(w.tells.back().opened == (errors > 0 ? std::optional(w.last()->opened) : std::nullopt));
  }
}

TEST_CASE("one notifier is told where the check names it") {
  rules::CoreConfig config = looking_later();
  config.actions[0].later[0].notify = rules::NotifierName("team");
  World w(config);
  recover(w);
  w.run(31min);
  CHECK(w.tells.back().notifier == rules::NotifierName("team"));
}

TEST_CASE("a watcher that dies at any command loses no later check, and tells none twice") {
  for (int commands = 1; commands < 400; commands += 3) {
    CAPTURE(commands);
    World w(looking_later());
    harm(w);
    w.crash_after(commands);
    if (!w.run_until([&] { return w.outcome() == "recovered"; }, 60min)) continue;
    w.run(2h + 10min);
    CHECK(lines(*w.last()) == 2);
    CHECK(w.service().later.empty());
    if (!w.crashed()) break;
  }
}

TEST_CASE("what is verified for long holds the host's lock no longer than what was started needs") {
  World w(with([](rules::CoreConfig& config) {
    add_api(config);
    config.actions[0].verify.hold = 1h;
    config.actions[0].verify.timeout = 2h;
    config.actions[0].on_success = {run("resume")};
  }));
  w.run(5min);
  w.deploy("bad");
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.run(2min);
  w.deploy("bad", "api");
  REQUIRE(w.run_until([&] { return w.phase("api") == "verifying"; }, 20min));
  CHECK(w.phase() == "verifying");
  REQUIRE(w.run_until([&] { return w.closed() && w.closed("api"); }, 3h));
  CHECK(w.outcome() == "recovered");
  CHECK(w.outcome("api") == "recovered");
  CHECK(w.count_performed("run resume") == 2);
  CHECK(*w.last()->closed - w.last()->phase_since < 1h);
  CHECK(w.violations.empty());
}

TEST_CASE("what fires anew in a long verification decides as it always did") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].verify.hold = 1h;
    config.actions[0].verify.timeout = 2h;
  }));
  harm(w);
  REQUIRE(w.run_until([&] { return w.phase() == "verifying"; }, 15min));
  w.run(30min);
  errors_on(w);
  REQUIRE(w.run_until([&] { return w.closed(); }, 3h));
  CHECK(w.outcome() == "not_recovered");
}

TEST_CASE("what is looked at later at one time is one message, each target with its value") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].later = {later(30min, "web_errors < 1%"), later(30min, "web_health.up == 1 and web_errors < 2%"),
                               later(30min, "web_errors > 50%"), later(30min, "", "say so on the status page")};
  }));
  recover(w);
  const auto before = w.tells.size();
  w.run(31min);
  REQUIRE(w.tells.size() == before + 1);
  const rules::Tell& tell = w.tells.back();
  CHECK(tell.stage == rules::Stage::failed);
  CHECK(tell.title == "web: 30m after it recovered: 1 of 3 targets does not hold: web_errors > 50%");
  CHECK(w.told_text("- web_errors < 1% holds: web_errors < 1%, it is 0.0 %\n"));
  CHECK(w.told_text("holds: web_health.up == 1, it is 1; web_errors < 2%, it is 0.0 %\n"));
  CHECK(w.told_text("- web_errors > 50% does not hold: web_errors > 50%, it is 0.0 %\n"));
  CHECK(w.told_text("- to be done by now: say so on the status page"));
  CHECK(lines(*w.last()) == 4);
}

TEST_CASE("targets of one time wait for the one that cannot be seen yet") {
  World w(with([](rules::CoreConfig& config) {
    config.actions[0].later = {later(30min, "web_errors < 1%"), later(30min, "nobody.up == 1"),
                               later(1h, "web_errors < 1%")};
  }));
  recover(w);
  const auto before = w.tells.size();
  w.run(31min);
  CHECK(w.tells.size() == before);
  CHECK(end_of(w, 0) == LaterEnd::waits);
  w.run(10min);
  CHECK(w.tells.size() == before + 1);
  CHECK(end_of(w, 0) == LaterEnd::holds);
  CHECK(end_of(w, 1) == LaterEnd::unknown);
  w.run(30min);
  CHECK(w.tells.size() == before + 2);
}
