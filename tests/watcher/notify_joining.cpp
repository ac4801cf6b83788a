#include <doctest/doctest.h>

#include "outbox_support.hpp"

// Whom `after` keeps from what is over by then, or goes well.

using namespace outbox_support;

namespace {

rules::Tell fault(const std::string& title, double seconds, const std::string& lasting, bool is_over = false) {
  rules::Tell tell = message("", rules::Stage::fault, title, seconds);
  tell.lasting = {lasting, is_over};
  return tell;
}

struct Boss {
  Folder folder;
  Receiver receiver{fine};
  watcher::NotifierSection boss = notifier("boss", receiver.url());
  watcher::NotifierSection team = notifier("team", receiver.url());
  Boss() {
    boss.after = 5min;
    team.template_text = "team: {title}";
  }
  long heard(const std::string& title) const {
    const std::vector<std::string> all = bodies(receiver);
    return std::count(all.begin(), all.end(), title);
  }
};

// Everything that is due has been sent.
void settle(Telling& telling) {
  telling.outbox.wake();
  for (int turns = 0; turns < 20; ++turns) telling.io.run_one_for(10ms);
}

}  // namespace

TEST_CASE_FIXTURE(Boss, "who has `after` is told of a fault that has lasted so long, and of its end, and of no other") {
  Telling telling(folder.path, {boss, team});
  telling.tell(fault("short", 0, "probe a"));
  telling.tell(fault("long", 0, "probe b"));
  telling.advance(1min);
  telling.tell(fault("short is over", 60, "probe a", true));
  telling.until([&] { return telling.counts("team").delivered == 3; });
  CHECK(telling.counts("boss").delivered == 0);
  telling.advance(4min + 1s);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
  telling.advance(1min);
  telling.tell(fault("long is over", 360, "probe b", true));
  telling.until([&] { return telling.counts("boss").delivered == 2; });
  settle(telling);
  CHECK(heard("short") == 0);
  CHECK(heard("long") == 1);
  CHECK(heard("long is over") == 1);
  CHECK(heard("team: short") == 1);
}

TEST_CASE_FIXTURE(Boss, "what is not told to last is told to who has `after` when its time has come") {
  Telling telling(folder.path, {boss});
  telling.tell(message("", rules::Stage::fault, "once", 0));
  settle(telling);
  CHECK(telling.counts("boss").delivered == 0);
  telling.advance(5min);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
}

TEST_CASE_FIXTURE(Boss, "blindness is held back as a fault is") {
  Telling telling(folder.path, {boss});
  rules::Tell blind = message("", rules::Stage::blind, "blind", 0);
  blind.lasting = {"web blind"};
  telling.tell(blind);
  telling.advance(4min);
  rules::Tell seeing = message("", rules::Stage::seeing, "seeing", 240);
  seeing.lasting = {"web blind", true};
  telling.tell(seeing);
  telling.advance(5min);
  settle(telling);
  CHECK(bodies(receiver).empty());
}

TEST_CASE_FIXTURE(Boss, "a fault that is held back is told anew after a restart, and not of both") {
  {
    Telling telling(folder.path, {boss});
    telling.tell(fault("broken", 0, "probe a"));
  }
  Telling telling(folder.path, {boss});
  telling.clock.time = at(240);
  telling.tell(fault("broken", 240, "probe a"));
  telling.advance(4min);
  settle(telling);
  CHECK(telling.counts("boss").delivered == 0);
  telling.advance(1min);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
}

TEST_CASE_FIXTURE(Boss, "who has `after` does not join what goes well, and does when it does not any more") {
  Telling telling(folder.path, {boss});
  telling.tell(message("1", rules::Stage::started, "fires", 0), {incident("1", 0)});
  rules::Situation& now = telling.situations[rules::IncidentId("1")];
  now.goes_well = true;
  telling.advance(5min);
  settle(telling);
  now.message = message("1", rules::Stage::progress, "verifying", 330);
  telling.advance(30s);
  settle(telling);
  CHECK(bodies(receiver).empty());
  now.goes_well = false;
  now.message = message("1", rules::Stage::progress, "bad again", 360);
  telling.advance(30s);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
  telling.tell(message("1", rules::Stage::completed, "recovered", 360));
  telling.until([&] { return telling.counts("boss").delivered == 2; });
  CHECK(bodies(receiver) == std::vector<std::string>{"bad again", "recovered"});
  CHECK(telling.counts("boss").given_up == 0);
}

TEST_CASE_FIXTURE(Boss, "who did not join hears of no good end, and of a bad one") {
  for (const bool fails : {false, true}) {
    CAPTURE(fails);
    Telling telling(folder.path + (fails ? "/1" : "/2"), {boss});
    telling.tell(message("1", rules::Stage::started, "fires", 0), {incident("1", 0)});
    telling.situations[rules::IncidentId("1")].goes_well = true;
    telling.advance(6min);
    settle(telling);
    telling.tell(message("1", fails ? rules::Stage::failed : rules::Stage::completed, "the end", 360));
    if (fails) telling.until([&] { return telling.counts("boss").delivered == 1; });
    settle(telling);
  }
  CHECK(heard("fires") == 0);
  CHECK(heard("the end") == 1);
}
