#include "watcher/drivers/systemd_stops.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

#include "watcher/clock.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

enum class Message { start_wanted, passed_over, start_done, stop_begun, ended };

constexpr std::array<std::pair<std::string_view, Message>, 8> messages{{
    {"7d4958e842da4a758f6c1cdc7b36dcc5", Message::start_wanted},  // a start job has begun
    {"be02cf6855d2428ba40df7e9d022f03d", Message::start_wanted},  // it has failed, or what it depends on has
    {"0e4284a0caca4bfc81c0bb6786972673", Message::passed_over},   // for a condition
    {"5eb03494b6584870a536b337290809b3", Message::start_wanted},  // it will be restarted
    {"39f53479d3a045ac8e11786248231fbf", Message::start_done},
    {"de5b426a63be47a7b6ac3eaac82e2f6f", Message::stop_begun},
    {"7ad2d189f7e94e70a38c781354912448", Message::ended},  // well
    {"d9b373ed55a64feb8242e02dbe79a49c", Message::ended},  // badly
}};

// What of a unit was read so far, from its newest message backwards.
enum class Reading { nothing_yet, stop_seen, stopped, not_stopped };

Reading after(Reading before, Message older) {
  if (before == Reading::stopped || before == Reading::not_stopped) return before;
  const bool stop_seen = before == Reading::stop_seen;
  if (older == Message::stop_begun) return Reading::stop_seen;
  if (older == Message::start_done) return stop_seen ? Reading::stopped : Reading::not_stopped;
  // The newest end is the one that the stop led to.
  if (older == Message::ended) return stop_seen ? Reading::not_stopped : before;
  return Reading::not_stopped;
}

std::string text_of(const boost::json::object& entry, std::string_view field) {
  const boost::json::value* const found = entry.if_contains(field);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

struct Told {
  Reading reading = Reading::nothing_yet;
  UnitStory story{};
};

// systemd 252 says so under the id of a start that is done; with ExecCondition=, and before 250, it names none:
// "Shop was skipped because of an unmet condition check (ConditionPathExists=!/run/maintenance)."
// "Shop was skipped because no trigger condition checks were met."
// "Condition check resulted in Shop being skipped."
bool tells_of_condition(const std::string& message) {
  const bool is_named =
      message.find(" was skipped because ") != message.npos && message.find(" condition check") != message.npos;
  return is_named || (message.starts_with("Condition check resulted in ") && message.ends_with(" being skipped."));
}

std::string condition_in(const std::string& message) {
  constexpr std::size_t shown_max = 400;  // bytes
  const std::size_t begin = message.find("(Condition");
  const std::size_t end = message.rfind(')');
  if (begin == message.npos || end == message.npos || end < begin) return {};
  return visible(std::string_view(message).substr(begin + 1, std::min(end - begin - 1, shown_max)));
}

rules::Instant moment_of(const boost::json::object& entry) {
  const std::string text = text_of(entry, "__REALTIME_TIMESTAMP");
  std::int64_t microseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), microseconds);
  constexpr std::int64_t most = 1'000'000'000'000'000 * 4;  // in the year 2096
  const bool is_one = error == std::errc() && end == text.data() + text.size();
  return rules::Instant(std::chrono::microseconds(is_one ? std::clamp<std::int64_t>(microseconds, 0, most) : 0));
}

void take(std::map<std::string, Told>& units, std::string_view line) {
  boost::json::error_code failure;
  const boost::json::value entry = boost::json::parse(line, failure);
  if (failure || !entry.is_object()) return;
  std::string unit = text_of(entry.get_object(), "UNIT");
  if (unit.empty()) unit = text_of(entry.get_object(), "USER_UNIT");
  const std::string id = text_of(entry.get_object(), "MESSAGE_ID");
  const auto* const message =
      std::find_if(messages.begin(), messages.end(), [&](const auto& one) { return one.first == id; });
  if (unit.empty() || message == messages.end()) return;
  Told& told = units[std::move(unit)];
  const rules::Instant at = moment_of(entry.get_object());
  const std::string text = text_of(entry.get_object(), "MESSAGE");
  const Message what = tells_of_condition(text) ? Message::passed_over : message->second;
  const bool is_done = what == Message::start_done;
  const bool is_newest_try = told.story.tried == rules::Instant();
  if (is_newest_try && what == Message::passed_over) {
    told.story.passed_over = true;
    told.story.unmet = condition_in(text);
  }
  const bool is_barred = is_newest_try && text_of(entry.get_object(), "JOB_RESULT") == "dependency";
  if (is_barred) told.story.barred = true;
  if (!is_barred) told.reading = after(told.reading, what);
  told.story.newest = std::max(told.story.newest, at);
  const bool is_wanted = what == Message::start_wanted || what == Message::passed_over;
  if (is_done || is_wanted) told.story.tried = std::max(told.story.tried, at);
  if (is_done) told.story.started = std::max(told.story.started, at);
}

// "{ path=/bin/test ; argv[]=/bin/test ! -e /run/maintenance ; ignore_errors=no ; ... }", as `systemctl show` has it.
std::string words_of(std::string_view command) {
  constexpr std::string_view before = "argv[]=";
  const std::size_t begin = command.find(before);
  if (begin == command.npos) return visible(command);
  command.remove_prefix(begin + before.size());
  return visible(command.substr(0, command.find(" ; ")));
}

// Nothing of it runs any more, or will by itself.
bool is_down(const SystemdUnit& unit) {
  return unit.active == "inactive" || unit.active == "failed" || unit.active == "deactivating";
}

// What keeps it from starting though nothing is wrong with the release, for people; nothing: it was not passed over.
std::optional<std::string> kept_by(const SystemdUnit& unit, const UnitStory* story,
                                   const std::vector<std::string>& of_release) {
  const bool is_told = story != nullptr && story->passed_over;
  if (!unit.was_passed_over && !is_told) return std::nullopt;
  std::string unmet = unit.unmet.empty() && is_told ? story->unmet : unit.unmet;
  const std::string commands = unmet.empty() ? unit.exec_conditions : "";
  const bool is_own = std::any_of(of_release.begin(), of_release.end(), [&](const std::string& path) {
    return unmet.find(path) != unmet.npos || commands.find(path) != commands.npos;
  });
  if (is_own) return std::string();
  if (!commands.empty()) unmet = "ExecCondition=" + words_of(commands);
  return unit.name + " is not started, since " + (unmet.empty() ? "a condition of its own" : unmet) +
         " is not met; once it is, do systemctl start " + unit.name;
}

}  // namespace

UnitStories stories_in(std::string_view journal) {
  std::map<std::string, Told> units;
  while (!journal.empty()) {
    const std::string_view line = journal.substr(0, journal.find('\n'));
    journal.remove_prefix(std::min(line.size() + 1, journal.size()));
    take(units, line);
  }
  UnitStories out;
  for (auto& [unit, told] : units) {
    // What was started before the oldest message that is kept has run until somebody stopped it.
    const bool stopped = told.reading == Reading::stopped || told.reading == Reading::stop_seen;
    if (stopped || told.reading == Reading::not_stopped) told.story.stopped = stopped;
    out[unit] = told.story;
  }
  return out;
}

boost::asio::awaitable<std::optional<UnitStories>> read_stories(const SystemdRunner& runner,
                                                                const std::vector<SystemdUnit>& units) {
  std::vector<std::string> names;
  for (const SystemdUnit& unit : units) {
    if (is_down(unit)) names.push_back(unit.name);
  }
  if (names.empty()) co_return UnitStories();
  std::vector<std::string> ids;
  for (const auto& message : messages) ids.emplace_back("MESSAGE_ID=" + std::string(message.first));
  probes::ChildSpec spec = runner.journal_of_systemd(names, ids);
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  const bool answered = child.end == probes::ChildEnd::exited && child.exit_code == 0;
  if (!answered) co_return std::nullopt;
  co_return stories_in(child.output_stdout);
}

std::string why_stopped(const SystemdUnit& unit, const std::optional<UnitStories>& stories, rules::Instant changed_at,
                        const std::vector<std::string>& of_release) {
  constexpr rules::Duration late = std::chrono::seconds(1);  // a message may be written
  const bool may_be_started = unit.load == "loaded" || unit.load == "masked";
  if (!is_down(unit) || !may_be_started) return {};
  const std::string start = "; do systemctl start " + unit.name;
  const std::string by_somebody =
      unit.name + " was stopped, by somebody or with another unit; it did not end by itself";
  const auto found = stories ? stories->find(unit.name) : UnitStories::const_iterator();
  const bool is_told = stories && found != stories->end();
  const bool has_started = unit.started > rules::Duration::zero();
  // What was started since the journal was written last may have ended in any way.
  const bool is_stale = is_told && has_started && wall_time_of(unit.started) > found->second.newest + late;
  const UnitStory* const newest = is_told && !is_stale ? &found->second : nullptr;
  if (std::optional<std::string> kept = kept_by(unit, newest, of_release)) return std::move(*kept);
  if (unit.is_bound) return {};
  if (stories && !is_told && !has_started && unit.looked_at == rules::Duration::zero())
    return unit.name + " was not started since the host booted, as far as systemd and its journal tell" + start;
  if (!is_told || is_stale || !found->second.stopped) return is_stopped(unit) ? by_somebody + start : std::string();
  const UnitStory& story = found->second;
  if (!*story.stopped || (story.barred && story.started < changed_at)) return {};
  if (story.barred) {
    return unit.name + " was stopped with a unit that it depends on, which did not come up again; do systemctl " +
           "list-units --failed, and systemctl start " + unit.name;
  }
  return by_somebody + start;
}

}  // namespace watcher
