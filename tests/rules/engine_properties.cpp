#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "engine_world.hpp"

// What must be so whatever happens: many random histories, each with its seed.

using namespace world;

namespace {

constexpr unsigned streams = 100;

rules::CoreConfig random_config(std::mt19937& dice) {
  const auto chance = [&](int percent) { return static_cast<int>(dice() % 100) < percent; };
  rules::CoreConfig config = usual();
  if (chance(50)) {
    add_api(config);
    if (chance(50)) config.services[0].depends_on = {rules::ServiceName("api")};
  }
  for (rules::ServiceSpec& service : config.services) {
    if (chance(50)) service.arm = rules::Arm::always;
    if (chance(30)) service.ask_then = rules::AskThen::act;
    service.ask_timeout = 5min;
  }
  if (chance(25)) config.rules[0].severity = chance(50) ? rules::Severity::p2 : rules::Severity::p3;
  if (chance(50)) config.rules[0].respond = restart_then_rollback();
  if (chance(50)) config.actions[0].steps.insert(config.actions[0].steps.begin(), run("pause"));
  if (chance(30)) config.actions[0].steps.insert(config.actions[0].steps.begin(), capture("logs"));
  if (chance(30)) config.actions[0].steps.push_back(wait("web_health.up == 1", 15s, 2min));
  config.actions[0].on_failure = {run("maintenance")};
  config.actions[0].always = {run("tidy")};
  return config;
}

// Whether we can save what we do.
void in_trouble(World& w, bool is) { w.observe(rules::SelfDegraded{w.now(), is ? "the disk is full" : "", is, false}); }

// One thing that may happen to the application or that a person may do.
void meddle(World& w, std::mt19937& dice, bool may_crash) {
  const std::string service = w.reality.contains("api") && dice() % 2 == 0 ? "api" : "web";
  rules::ServiceName name(service);
  rules::RollbackByHand by_hand;
  by_hand.service = name;
  const std::vector<std::string> revisions{"v1", "v2", "v3", "bad", "bad2", "crash"};
  switch (dice() % 16) {
    case 0:
    case 1:
    case 2:
      w.deploy(revisions[dice() % revisions.size()], service);
      break;
    case 3:
      w.reality[service].extra_errors = dice() % 4 != 0 ? 0.3 : 0.0;
      break;
    case 4:
      w.reality[service].probes_work = dice() % 3 != 0;
      break;
    case 5:
      w.reality[service].requests_per_second = dice() % 3 == 0 ? 0.1 : 40;
      break;
    case 6:
      w.mark(dice() % 2 == 0 ? rules::MarkKind::begin : rules::MarkKind::end, {}, service);
      break;
    case 7:
      w.ask(rules::Pause{name, 3min, ""});
      break;
    case 8:
      w.ask(by_hand);
      break;
    case 9:
      if (const auto open = w.open(service)) {
        if (dice() % 2 == 0) {
          w.ask(rules::Approve{open->id, "dice"});
        } else {
          w.ask(rules::Abort{open->id, "dice"});
        }
      }
      break;
    case 10:
      // A rollback that will not help: what it goes back to has become sick as well.
      w.reality[service].sick.insert({"v1", "v2", "v3"});
      w.scripts["switch last-good"].status = dice() % 3 == 0 ? rules::StepStatus::failed : rules::StepStatus::succeeded;
      break;
    case 11:
      if (may_crash) w.crash(std::chrono::seconds(dice() % 40));
      break;
    case 12:
      if (may_crash) w.crash_after(1 + static_cast<int>(dice() % 60));
      break;
    case 13:
      w.lock_refused = dice() % 3 != 0;
      break;
    case 14:
      w.reality[service].readable = dice() % 2 == 0;
      break;
    case 15:
      in_trouble(w, dice() % 3 != 0);
      break;
  }
}

// Everything works again and nobody meddles.
void calm(World& w) {
  w.scripts.clear();
  w.lock_refused = false;
  in_trouble(w, false);
  for (auto& [name, real] : w.reality) {
    real.extra_errors = 0;
    real.probes_work = true;
    real.readable = true;
    real.requests_per_second = 40;
    real.sick.clear();
    real.crashing.clear();
    w.mark(rules::MarkKind::end, {}, name);
  }
}

void check_incidents(const World& w, const std::string& service) {
  const std::vector<rules::IncidentRecord> all = w.all(service);
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(all[i].id.text << " " << to_string(all[i].phase));
    CHECK(all[i].outcome.has_value());
    const bool overlaps = i > 0 && all[i - 1].closed && *all[i - 1].closed > all[i].opened;
    CHECK_FALSE(overlaps);
  }
}

void check_switches(const World& w) {
  std::set<std::pair<std::string, std::string>> by_itself;
  for (const Done& done : w.deeds) {
    if (!std::holds_alternative<rules::SwitchStep>(done.command.step.what)) continue;
    const auto incident = w.journal.incidents.find(done.command.context.incident.text);
    if (incident->second.by_hand) continue;
    const bool first = by_itself.insert({done.command.context.service.text, done.command.context.from.text}).second;
    CHECK(first);
    CHECK(done.command.context.to != done.command.context.from);
  }
}

// How many of the random histories came to each state: a property that never reaches one says nothing of it.
using Reached = std::map<std::string, int>;

void note_reached(const World& w, Reached& reached) {
  std::set<std::string> seen;
  if (w.crashed()) seen.insert("a crash");
  for (const rules::Note& note : w.notes) {
    if (note.event == "firing") seen.insert("firing");
    if (note.event != "phase") continue;
    for (const auto& [name, value] : note.fields) {
      if (name == "phase") seen.insert(value);
    }
  }
  for (const auto& entry : w.journal.incidents) {
    const rules::IncidentRecord& incident = entry.second;
    if (incident.outcome) seen.insert(std::string(to_string(*incident.outcome)));
    if (incident.rung > 0) seen.insert("a second rung");
    if (incident.by_hand) seen.insert("by hand");
    for (const rules::TimelineEntry& line : incident.timeline) {
      if (line.text.find("the host's lock") != std::string::npos) seen.insert("the host's lock is taken");
      if (line.event == "question_withdrawn") seen.insert("a question withdrawn");
    }
  }
  for (const std::string& one : seen) ++reached[one];
}

void check_reached(const Reached& reached, bool may_crash) {
  std::vector<std::string> states{"firing",
                                  "held",
                                  "asking",
                                  "acting",
                                  "settling",
                                  "verifying",
                                  "finishing",
                                  "telling",
                                  "by hand",
                                  "a second rung",
                                  "recovered",
                                  "not_recovered",
                                  "superseded",
                                  "aborted",
                                  "cleared",
                                  "action_failed",
                                  "no_target",
                                  "the host's lock is taken",
                                  "a question withdrawn"};
  states.emplace_back(may_crash ? "a crash" : "fused");
  for (const std::string& state : states) {
    const auto found = reached.find(state);
    const int times = found == reached.end() ? 0 : found->second;
    MESSAGE(state << ": " << times);
    CHECK_MESSAGE(times > 0, state);
  }
}

bool all_closed(const World& w) {
  return std::all_of(w.journal.incidents.begin(), w.journal.incidents.end(),
                     [](const auto& entry) { return entry.second.outcome.has_value(); });
}

void live_through(unsigned seed, bool may_crash, Reached& reached) {
  INFO("seed " << seed);
  std::mt19937 dice(seed);
  World w(random_config(dice));
  w.run(1min);
  // Most things that may go wrong go wrong in an incident.
  if (dice() % 3 != 0) w.deploy(dice() % 3 == 0 ? "crash" : "bad");
  for (int turn = 0; turn < 8; ++turn) {
    meddle(w, dice, may_crash);
    // Now and then long enough for a verification to come to its end.
    const bool is_long = dice() % 6 == 0;
    w.run(is_long ? Duration(20min) : std::chrono::seconds(10 + dice() % 150));
  }
  calm(w);
  w.run_until([&] { return all_closed(w); }, 75min);
  for (const std::string& violation : w.violations) FAIL_CHECK(violation);
  for (const auto& [name, real] : w.reality) check_incidents(w, name);
  check_switches(w);
  note_reached(w, reached);
}

std::string decisions(const World& w) {
  std::ostringstream out;
  for (const rules::IncidentRecord& one : w.all()) {
    out << one.rules.front().rule.text << " " << one.from.text << " -> " << one.to.text << " "
        << (one.outcome ? to_string(*one.outcome) : "open") << "; ";
  }
  for (const std::string& deed : w.performed()) out << deed << ", ";
  return out.str();
}

}  // namespace

TEST_CASE(
    "whatever happens: incidents of a service never overlap and end, one mutating step at a time, one switch a "
    "revision, nothing without its intent") {
  Reached reached;
  for (unsigned seed = 1; seed <= streams; ++seed) live_through(seed, false, reached);
  check_reached(reached, false);
}

TEST_CASE("whatever happens and whenever the watcher dies: the same holds") {
  Reached reached;
  for (unsigned seed = 1001; seed <= 1000 + streams; ++seed) live_through(seed, true, reached);
  check_reached(reached, true);
}

TEST_CASE("what is decided of a service does not depend on how many others there are") {
  const auto story = [](int others, unsigned seed) {
    rules::CoreConfig config = usual();
    explain_by_pg(config);
    for (int i = 0; i < others; ++i) {
      const std::string name = "other" + std::to_string(i);
      add_service(config, name);
      config.rules.push_back(rule(name + "-errors", name + "_errors > 5%", 1min, {"rollback"}, name));
    }
    World w(config);
    std::mt19937 dice(seed);
    for (int turn = 0; turn < 6; ++turn) {
      if (dice() % 3 == 0) w.deploy(dice() % 2 == 0 ? "crash" : "v1", "pg");
      if (dice() % 2 == 0) w.reality["web"].probes_work = dice() % 3 != 0;
      if (dice() % 2 == 0) w.deploy(dice() % 2 == 0 ? "bad" : "v2");
      w.run(std::chrono::seconds(10 + dice() % 200));
    }
    std::ostringstream out;
    const auto when = [&](Instant at) { return rules::to_string(at - (w.now() - w.since_start())); };
    for (const Done& done : w.deeds) out << when(done.at) << " " << describe(done.command.step) << "; ";
    for (const rules::IncidentRecord& one : w.all()) {
      for (const rules::TimelineEntry& entry : one.timeline) out << when(entry.at) << " " << entry.event << "; ";
    }
    out << w.service().revision.text << " baked " << rules::to_string(w.service().baked);
    return out.str();
  };
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    CHECK(story(7, seed) == story(0, seed));
  }
}

TEST_CASE("a restart anywhere gives the same decisions") {
  const auto story = [](std::optional<Duration> cut) {
    World w(usual());
    w.spans_every = 1s;
    w.run(5min);
    if (cut) w.run(0s);
    w.deploy("bad");
    const Duration length = 15min;
    if (cut) {
      w.run(*cut);
      w.crash(0s);
      w.run(length - *cut);
    } else {
      w.run(length);
    }
    return decisions(w);
  };
  const std::string whole = story(std::nullopt);
  for (Duration cut = 1s; cut < 10min; cut += 23s) {
    CAPTURE(rules::seconds(cut));
    CHECK(story(cut) == whole);
  }
}
