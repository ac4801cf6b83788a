#include "outbox_support.hpp"

using namespace outbox_support;

// A watcher that is killed and started anew tells nobody more, or sooner, for that.

namespace {

// Something of another incident that boss is told at once, behind what he would be told by now.
void tell_by_name(Telling& telling, const watcher::NotifierSection& boss, double seconds) {
  auto named = message("2", rules::Stage::progress, "by name", seconds);
  named.notifier = boss.name;
  named.is_news = true;
  telling.tell(named, {incident("2", seconds)});
}

}  // namespace

TEST_CASE("who would join late is told nothing of what goes well by then, also when we were started anew meanwhile") {
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    const Folder folder;
    const Receiver receiver(fine);
    auto boss = notifier("boss", receiver.url());
    boss.after = 5min;
    std::optional<Telling> telling;
    telling.emplace(folder.path, std::vector{boss});
    telling->tell(message("1", rules::Stage::started, "started", 0), {incident("1", 0)});
    if (restarted) {
      telling.reset();
      telling.emplace(folder.path, std::vector{boss});
      telling->situations[rules::IncidentId("1")].message = message("1", rules::Stage::progress, "started", 0);
    }
    telling->situations[rules::IncidentId("1")].goes_well = true;
    telling->clock.time = at(300);
    tell_by_name(*telling, boss, 300);
    telling->until([&] { return telling->counts("boss").delivered >= 1; });
    auto closed = incident("1", 0);
    closed.closed = at(301);
    telling->clock.time = at(302);
    telling->tell(message("1", rules::Stage::completed, "recovered", 301), {closed});
    tell_by_name(*telling, boss, 302);
    telling->until([&] { return telling->counts("boss").delivered >= 2; });
    CHECK(bodies(receiver) == std::vector<std::string>{"by name", "by name"});
  }
}

TEST_CASE("who joined late before we were started anew hears the end, and where it stands only once") {
  const Folder folder;
  const Receiver receiver(fine);
  auto boss = notifier("boss", receiver.url());
  boss.after = 5min;
  {
    Telling telling(folder.path, {boss});
    telling.tell(message("1", rules::Stage::started, "started", 0), {incident("1", 0)});
    telling.advance(5min);
    telling.until([&] { return telling.counts("boss").delivered == 1; });
  }
  Telling telling(folder.path, {boss});
  telling.situations[rules::IncidentId("1")].message = message("1", rules::Stage::progress, "started", 0);
  telling.clock.time = at(400);
  auto closed = incident("1", 0);
  closed.closed = at(400);
  tell_by_name(telling, boss, 400);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
  telling.tell(message("1", rules::Stage::completed, "recovered", 400), {closed});
  telling.until([&] { return telling.counts("boss").delivered == 2; });
  CHECK(bodies(receiver) == std::vector<std::string>{"started", "by name", "recovered"});
}

TEST_CASE("what nobody did anything about for days is told once a day, also after we were started anew") {
  const Folder folder;
  const Receiver receiver(fine);
  auto team = notifier("team", receiver.url());
  const auto open_since = [](Telling& telling) {
    rules::Situation& stands = telling.situations[rules::IncidentId("1")];
    stands.message = message("1", rules::Stage::failed, "not good yet", 0);
    stands.needs_people = true;
    stands.since = at(0);
  };
  {
    Telling telling(folder.path, {team});
    telling.tell(message("1", rules::Stage::ask, "asked", 0), {incident("1", 0)});
    open_since(telling);
    telling.advance(48h);
    telling.until([&] { return telling.counts("team").delivered == 2; });
    telling.situations[rules::IncidentId("1")].message.at = telling.clock.time;
    telling.advance(24h);
    telling.until([&] { return telling.counts("team").delivered == 3; });
  }
  Telling telling(folder.path, {team});
  open_since(telling);
  telling.clock.time = at(73 * 3600);
  telling.tell(message("2", rules::Stage::failed, "another", 73 * 3600));
  telling.until([&] { return telling.counts("team").delivered >= 1; });
  CHECK(bodies(receiver).back() == "another");
  CHECK(bodies(receiver).size() == 4);
}
