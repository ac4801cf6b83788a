#include "outbox_support.hpp"

using namespace outbox_support;

namespace {

// A team that hears every 15 minutes of what is still open, and has been told that incident 1 started.
struct Repeating {
  const Folder folder;
  const Receiver receiver{fine};
  watcher::NotifierSection team;
  Telling telling;

  Repeating() : team(notifier("team", receiver.url())), telling(folder.path, {repeated(team)}) {
    telling.tell(message("1", rules::Stage::started, "started", 0), {incident("1", 0)});
  }

 private:
  static watcher::NotifierSection& repeated(watcher::NotifierSection& notifier) {
    notifier.every = 15min;
    return notifier;
  }
};

}  // namespace

TEST_CASE("messages are delivered in order, once") {
  const Folder folder;
  const Receiver receiver(fine);
  Telling telling(folder.path, {notifier("team", receiver.url())});
  telling.tell(message("1", rules::Stage::started, "a", 0));
  telling.tell(message("1", rules::Stage::late, "b", 0));
  telling.tell(message("1", rules::Stage::completed, "c", 0));
  telling.until([&] { return telling.counts("team").delivered == 3; });
  CHECK(bodies(receiver) == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("who was told that it began hears how it ended, though it has become more severe than he is told of") {
  const Folder folder;
  const Receiver receiver(fine);
  watcher::NotifierSection day = notifier("day", receiver.url());
  day.severities = {rules::Severity::p1};
  Telling telling(folder.path, {day});
  rules::Tell began = message("1", rules::Stage::started, "began", 0);
  rules::Tell worse = message("1", rules::Stage::late, "worse", 0);
  rules::Tell other = message("2", rules::Stage::completed, "another's end", 0);
  rules::Tell over = message("1", rules::Stage::completed, "over", 0);
  for (rules::Tell* tell : {&worse, &other, &over}) tell->context.severity = rules::Severity::p0;
  for (const rules::Tell* tell : {&began, &worse, &other, &over}) telling.tell(*tell);
  telling.until([&] { return telling.counts("day").delivered == 2; });
  CHECK(bodies(receiver) == std::vector<std::string>{"began", "over"});
}

TEST_CASE("a failed delivery is tried again with the same key when it is due, and what comes after it waits") {
  const Folder folder;
  std::atomic<int> attempts = 0;
  const Receiver receiver([&](const std::string&) { return ++attempts <= 2 ? status("500 Oops") : status("200 OK"); });
  Telling telling(folder.path, {notifier("team", receiver.url())});
  telling.tell(message("1", rules::Stage::started, "a", 0));
  telling.tell(message("1", rules::Stage::late, "b", 0));
  telling.until([&] { return telling.counts("team").failed == 1; });
  telling.advance(5s);
  telling.until([&] { return telling.counts("team").failed == 2; });
  CHECK(telling.counts("team").delivered == 0);
  telling.advance(10s);
  telling.until([&] { return telling.counts("team").delivered == 2; });
  CHECK(bodies(receiver) == std::vector<std::string>{"a", "a", "a", "b"});
  const auto requests = receiver.requests();
  CHECK(key_of(requests[0]) == key_of(requests[2]));
  CHECK(key_of(requests[0]) != key_of(requests[3]));
}

TEST_CASE("what the journal cannot take is delivered from memory, in order, once, and what fails is owed again") {
  const Folder folder;
  int failing = 1;
  const Receiver receiver([&](const std::string&) { return failing-- > 0 ? status("500 Oops") : status("200 OK"); });
  Telling telling(folder.path, {notifier("team", receiver.url())});
  std::vector<watcher::OutboxEntry> owed;
  for (const char* const title : {"first", "second"}) {
    for (watcher::OutboxEntry& entry : telling.outbox.entries(message("1", rules::Stage::started, title, 0)))
      owed.push_back(std::move(entry));
  }
  telling.outbox.owe(std::move(owed));
  telling.until([&] { return telling.counts("team").failed == 1; });
  CHECK(bodies(receiver) == std::vector<std::string>{"first"});
  telling.advance(10min);
  telling.until([&] { return telling.counts("team").delivered == 2; });
  CHECK(bodies(receiver) == std::vector<std::string>{"first", "first", "second"});
  CHECK(telling.outbox.take_owed().empty());
}

TEST_CASE("a receiver that asks for more time gets it") {
  const Folder folder;
  std::atomic<int> attempts = 0;
  const Receiver receiver([&](const std::string&) {
    return ++attempts == 1 ? status("429 Too Many Requests", "Retry-After: 60\r\n") : status("200 OK");
  });
  Telling telling(folder.path, {notifier("team", receiver.url())});
  telling.tell(message("1", rules::Stage::started, "a", 0));
  telling.until([&] { return telling.counts("team").failed == 1; });
  telling.advance(59s);
  telling.tell(message("2", rules::Stage::started, "other", 59));
  telling.until([&] { return telling.counts("team").delivered == 1; });
  CHECK(bodies(receiver) == std::vector<std::string>{"a", "other"});
  telling.advance(1s);
  telling.until([&] { return telling.counts("team").delivered == 2; });
}

TEST_CASE("a message that its receiver will never take is given up and does not hold up the next") {
  const Folder folder;
  const Receiver receiver(
      [](const std::string& request) { return body_of(request) == "a" ? status("404 Not Found") : status("200 OK"); });
  Telling telling(folder.path, {notifier("team", receiver.url())});
  telling.tell(message("1", rules::Stage::started, "a", 0));
  telling.tell(message("1", rules::Stage::late, "b", 0));
  telling.until([&] { return telling.counts("team").delivered == 1; });
  CHECK(telling.counts("team").given_up == 1);
}

TEST_CASE("a receiver that hangs holds up no other notifier") {
  const Folder folder;
  const Receiver healthy(fine);
  auto hung = std::make_unique<Receiver>([](const std::string&) { return std::string("hang"); });
  Telling telling(folder.path, {notifier("hung", hung->url()), notifier("healthy", healthy.url())});
  for (const char* title : {"a", "b", "c"}) telling.tell(message("1", rules::Stage::late, title, 0));
  telling.until([&] { return telling.counts("healthy").delivered == 3 && hung->requests().size() == 1; });
  CHECK(telling.counts("hung").failed == 0);
  hung.reset();
  telling.until([&] { return telling.counts("hung").failed == 1; });
}

TEST_CASE("what was not delivered before a restart is delivered after it") {
  const Folder folder;
  {
    const Receiver receiver([](const std::string&) { return status("503 Busy"); });
    Telling telling(folder.path, {notifier("team", receiver.url())});
    telling.tell(message("1", rules::Stage::started, "a", 0));
    telling.until([&] { return telling.counts("team").failed == 1; });
  }
  const Receiver receiver(fine);
  Telling telling(folder.path, {notifier("team", receiver.url())});
  telling.advance(5s);
  telling.until([&] { return telling.counts("team").delivered == 1; });
}

TEST_CASE("messages to a notifier that is not configured any more are given up") {
  const Folder folder;
  const Receiver receiver([](const std::string&) { return status("503 Busy"); });
  Telling telling(folder.path, {notifier("team", receiver.url())});
  telling.tell(message("1", rules::Stage::started, "a", 0));
  telling.until([&] { return telling.counts("team").failed == 1; });
  telling.outbox.replace({});
  telling.advance(5s);
  telling.until([&] { return telling.counts("team").given_up == 1; });
}

TEST_CASE("who joins late hears in one message of what is open then as it is then, and then also how it ended") {
  const Folder folder;
  const Receiver receiver(fine);
  auto boss = notifier("boss", receiver.url());
  boss.after = 5min;
  Telling telling(folder.path, {boss});
  auto short_one = incident("1-short", 0);
  telling.tell(message("1-short", rules::Stage::started, "short: started", 0), {short_one});
  telling.tell(message("2-long", rules::Stage::started, "long: started", 0), {incident("2-long", 0)});
  telling.advance(1min);
  short_one.closed = at(60);
  telling.tell(message("1-short", rules::Stage::completed, "short: completed", 60), {short_one});
  telling.tell(message("2-long", rules::Stage::progress, "long: progress", 60));
  telling.advance(4min);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
  telling.advance(1min);
  telling.tell(message("2-long", rules::Stage::completed, "long: completed", 360));
  telling.until([&] { return telling.counts("boss").delivered == 2; });
  CHECK(bodies(receiver) == std::vector<std::string>{"long: progress", "long: completed"});
}

TEST_CASE("who joins late is told at once by a notify step that names him, whatever his severities") {
  const Folder folder;
  const Receiver receiver(fine);
  for (const auto severity : {rules::Severity::p0, rules::Severity::p1}) {
    const std::string id = std::string(rules::to_string(severity));
    auto boss = notifier("boss", receiver.url());
    boss.after = 5min;
    boss.severities = {rules::Severity::p0};
    Telling telling(folder.path, {boss, notifier("team", receiver.url())});
    const auto said = [&](rules::Stage stage, const std::string& title, const std::string& to) {
      auto tell = message(id, stage, id + " " + title, 0);
      tell.context.severity = severity;
      if (!to.empty()) tell.notifier = rules::NotifierName(to);
      return tell;
    };
    telling.tell(said(rules::Stage::started, "started", ""), {incident(id, 0)});
    telling.tell(said(rules::Stage::progress, "step", "boss"));
    telling.until([&] { return telling.counts("boss").delivered == 1; });
    telling.until([&] { return telling.counts("team").delivered == 1; });
    // What a step tells somebody else is not what he joins with.
    telling.tell(said(rules::Stage::progress, "step of the team's", "team"));
    telling.until([&] { return telling.counts("team").delivered == 2; });
    telling.advance(5min);
    const std::uint64_t joined = severity == rules::Severity::p0 ? 2 : 1;
    telling.until([&] { return telling.counts("boss").delivered == joined; });
    auto fault = message("", rules::Stage::fault, id + " fault", 300);
    fault.context.severity = rules::Severity::p0;
    telling.tell(fault);
    telling.advance(5min);
    telling.until([&] { return telling.counts("boss").delivered == joined + 1; });
  }
  auto got = bodies(receiver);
  const auto times = [&](const std::string& title) { return std::count(got.begin(), got.end(), title); };
  CHECK(times("P0 started") == 2);
  CHECK(times("P0 step") == 1);
  CHECK(times("P1 started") == 1);
  CHECK(times("P1 step") == 1);
  CHECK(times("P0 step of the team's") == 1);
  CHECK(times("P1 step of the team's") == 1);
}

TEST_CASE("what is repeated and could not be delivered is not tried again once the incident is over") {
  const Folder folder;
  const Receiver receiver([](const std::string& request) {
    return body_of(request) == "a: progress" ? status("500 Oops") : status("200 OK");
  });
  auto team = notifier("team", receiver.url());
  team.every = 15min;
  team.template_text = "{title}: {stage}";
  Telling telling(folder.path, {team});
  telling.tell(message("1", rules::Stage::started, "a", 0), {incident("1", 0)});
  telling.until([&] { return telling.counts("team").delivered == 1; });
  telling.advance(15min);
  telling.until([&] { return telling.counts("team").failed == 1; });
  auto closed = incident("1", 0);
  closed.closed = at(901);
  telling.tell(message("1", rules::Stage::completed, "a", 901), {closed});
  telling.advance(1min);
  telling.until([&] { return telling.counts("team").delivered == 2; });
  CHECK(telling.counts("team").failed == 1);
  CHECK(bodies(receiver).size() == 3);
}

TEST_CASE("progress is repeated while an incident is open, also after a restart, and no longer") {
  const Folder folder;
  const Receiver receiver(fine);
  auto team = notifier("team", receiver.url());
  team.every = 15min;
  team.template_text = "{title}: {stage}";
  {
    Telling telling(folder.path, {team});
    telling.tell(message("1", rules::Stage::started, "a", 0), {incident("1", 0)});
    telling.until([&] { return telling.counts("team").delivered == 1; });
    telling.advance(14min);
    telling.tell(message("2", rules::Stage::fault, "other", 840));
    telling.until([&] { return telling.counts("team").delivered == 2; });
    telling.advance(1min);
    telling.until([&] { return telling.counts("team").delivered == 3; });
  }
  Telling telling(folder.path, {team});
  telling.situations[rules::IncidentId("1")].message = message("1", rules::Stage::progress, "a", 1800);
  telling.clock.time = at(1800);
  telling.outbox.wake();
  telling.until([&] { return telling.counts("team").delivered >= 1; });
  auto closed = incident("1", 0);
  closed.closed = at(1801);
  telling.advance(1s);
  telling.tell(message("1", rules::Stage::completed, "a", 1801), {closed});
  telling.until([&] { return telling.counts("team").delivered >= 2; });
  const auto before = receiver.requests().size();
  CHECK(body_of(receiver.requests()[before - 1]) == "a: completed");
  CHECK(body_of(receiver.requests()[2]) == "a: progress");
  CHECK(body_of(receiver.requests()[3]) == "a: progress");
}

TEST_CASE("who joins late hears where it stands at that moment, and not what was said before it") {
  const Folder folder;
  const Receiver receiver(fine);
  auto boss = notifier("boss", receiver.url());
  boss.after = 5min;
  Telling telling(folder.path, {boss});
  telling.tell(message("1", rules::Stage::started, "started", 0), {incident("1", 0)});
  telling.situations.begin()->second.message.title = "is verified since 4m";
  telling.advance(5min);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
  CHECK(bodies(receiver) == std::vector<std::string>{"is verified since 4m"});
}

TEST_CASE("whom an incident leaves needed is reminded until it is over, every half hour, and after a day once a day") {
  const Folder folder;
  const Receiver receiver(fine);
  const Receiver rare(fine);
  auto team = notifier("team", receiver.url());
  auto others = notifier("others", rare.url());
  others.every = 12h;
  others.on = {"failed"};
  Telling telling(folder.path, {team, others});
  auto closed = incident("1", 0);
  closed.closed = at(0);
  auto failed = message("1", rules::Stage::failed, "failed", 0);
  failed.outcome = rules::Outcome::fused;
  telling.tell(failed, {closed});
  auto& stands = telling.situations.begin()->second;
  stands.needs_people = true;
  stands.since = at(0);
  stands.message.stage = rules::Stage::failed;
  stands.message.title = "not good yet";
  std::uint64_t heard = 1;
  for (int i = 1; i <= 48; ++i) {
    telling.advance(30min);
    telling.until([&] { return telling.counts("team").delivered == heard + 1; });
    ++heard;
  }
  // Half a day after the end, and from the first day's end on a day later.
  telling.until([&] { return telling.counts("others").delivered == 2; });
  telling.advance(23h);
  telling.until([&] { return telling.counts("others").delivered == 3; });
  CHECK(telling.counts("team").delivered == heard);
  telling.advance(1h);
  telling.until([&] { return telling.counts("team").delivered == heard + 1; });
  telling.situations.clear();
  telling.advance(48h);
  telling.tell(message("2", rules::Stage::failed, "another", 0));
  telling.until([&] { return telling.counts("team").delivered == heard + 2; });
  CHECK(bodies(receiver)[heard] == "not good yet");
  CHECK(bodies(receiver).back() == "another");
}

TEST_CASE("who would have joined by now is told of what ended before that and left people needed") {
  const Folder folder;
  const Receiver receiver(fine);
  auto boss = notifier("boss", receiver.url());
  boss.after = 10min;
  Telling telling(folder.path, {boss});
  auto closed = incident("1", 0);
  closed.closed = at(60);
  telling.tell(message("1", rules::Stage::started, "started", 0), {incident("1", 0)});
  auto& stands = telling.situations.begin()->second;
  stands.needs_people = true;
  stands.message.stage = rules::Stage::failed;
  stands.message.title = "not good yet";
  stands.message.outcome = rules::Outcome::fused;
  const auto said = stands;
  telling.advance(1min);
  telling.tell(message("1", rules::Stage::failed, "failed", 60), {closed});
  telling.situations.begin()->second = said;
  telling.advance(9min);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
  CHECK(bodies(receiver) == std::vector<std::string>{"not good yet"});
}

TEST_CASE("nobody is told again, unasked, of what goes on by itself or is a P3's") {
  const Folder folder;
  const Receiver receiver(fine);
  Telling telling(folder.path, {notifier("team", receiver.url())});
  auto light = message("2", rules::Stage::started, "light", 0);
  light.context.severity = rules::Severity::p3;
  telling.tell(message("1", rules::Stage::started, "started", 0), {incident("1", 0)});
  telling.tell(light, {incident("2", 0)});
  telling.advance(5h);
  telling.tell(message("", rules::Stage::fault, "fault", 0));
  telling.until([&] { return telling.counts("team").delivered == 3; });
  CHECK(bodies(receiver) == std::vector<std::string>{"started", "light", "fault"});
}

TEST_CASE("a question that was answered before somebody joins is not passed on") {
  const Folder folder;
  const Receiver receiver(fine);
  auto boss = notifier("boss", receiver.url());
  boss.after = 5min;
  boss.on = {"ask"};
  Telling telling(folder.path, {boss});
  telling.tell(message("1", rules::Stage::ask, "1: ask", 0), {incident("1", 0)});
  telling.tell(message("2", rules::Stage::ask, "2: ask", 0), {incident("2", 0)});
  telling.tell(message("1", rules::Stage::progress, "1: approved", 10));
  telling.advance(5min);
  telling.until([&] { return telling.counts("boss").delivered == 1; });
  CHECK(bodies(receiver) == std::vector<std::string>{"2: ask"});
}

TEST_CASE("without an `on` progress is told every so often and not step by step") {
  Repeating repeating;
  Telling& telling = repeating.telling;
  telling.tell(message("1", rules::Stage::progress, "step 1", 60));
  telling.tell(message("1", rules::Stage::progress, "step 2", 120));
  telling.until([&] { return telling.counts("team").delivered == 1; });
  telling.advance(15min);
  telling.until([&] { return telling.counts("team").delivered == 2; });
  CHECK(bodies(repeating.receiver) == std::vector<std::string>{"started", "step 2"});
}

TEST_CASE("what is repeated counts from what was told last, and is not for who named other stages") {
  Repeating repeating;
  Telling& telling = repeating.telling;
  telling.advance(10min);
  telling.tell(message("1", rules::Stage::late, "late", 600));
  telling.advance(5min);
  telling.tell(message("", rules::Stage::fault, "fault", 900));
  telling.until([&] { return telling.counts("team").delivered == 3; });
  repeating.team.on = {"fault"};
  telling.outbox.replace({repeating.team});
  telling.advance(10min);
  telling.tell(message("", rules::Stage::fault, "another", 1500));
  telling.until([&] { return telling.counts("team").delivered == 4; });
  repeating.team.on.clear();
  telling.outbox.replace({repeating.team});
  telling.advance(15min);
  telling.until([&] { return telling.counts("team").delivered == 5; });
  CHECK(bodies(repeating.receiver) == std::vector<std::string>{"started", "late", "fault", "another", "late"});
}
