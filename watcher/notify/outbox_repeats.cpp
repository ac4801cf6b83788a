#include <algorithm>

#include "watcher/notify/outbox.hpp"

// What is told again: as long as an incident is open, and until the rules are good that it left bad.

namespace watcher {

namespace {

// Where people are needed and the configuration does not say how often they hear of it.
constexpr rules::Duration urgent_again = std::chrono::minutes(30);  // P0, P1
constexpr rules::Duration ordinary_again = std::chrono::hours(4);   // P2
// What nobody did anything about for so long is told that often: nobody shall learn to overlook it.
constexpr rules::Duration old_after = std::chrono::hours(24);
constexpr rules::Duration old_again = std::chrono::hours(24);

}  // namespace

bool Outbox::is_the_end(rules::Stage stage) {
  return stage == rules::Stage::completed || stage == rules::Stage::failed || stage == rules::Stage::cleared;
}

std::optional<rules::Situation> Outbox::stands(const rules::IncidentId& incident) const {
  return stands_ && !incident.empty() ? stands_(incident) : std::nullopt;
}

// Nothing: not at all.
std::optional<rules::Duration> Outbox::repeated_every(const Open& open, const NotifierSection& notifier) const {
  if (!notifier.every && open.severity == rules::Severity::p3) return std::nullopt;
  const bool is_urgent = open.severity <= rules::Severity::p1;
  const rules::Duration every = notifier.every.value_or(is_urgent ? urgent_again : ordinary_again);
  return open.is_old ? std::max(every, old_again) : every;
}

std::optional<rules::Instant> Outbox::repeated_at(const Open& open, const NotifierSection& notifier) const {
  const std::optional<rules::Duration> every = repeated_every(open, notifier);
  if (!every) return std::nullopt;
  const auto told = open.told.find(notifier.name);
  const rules::Instant joins = open.opened + notifier.after.value_or(rules::Duration::zero());
  return (told == open.told.end() ? joins : std::max(told->second, joins - *every)) + *every;
}

void Outbox::remember(const rules::Tell& tell, const NotifierSection& notifier, bool is_told) {
  const auto open = open_.find(tell.context.incident);
  if (open == open_.end()) return;
  open->second.severity = tell.context.severity;
  const rules::Instant joins = open->second.opened + notifier.after.value_or(rules::Duration::zero());
  rules::Instant& told = open->second.told.try_emplace(notifier.name, joins).first->second;
  if (!is_told) return;
  told = std::max({told, tell.at, joins});
  open->second.is_old = false;
}

// Also when nothing is told any more of it itself: who would have joined by then is told where it stands then.
void Outbox::forget_what_is_over(const rules::Tell& tell) {
  const auto open = open_.find(tell.context.incident);
  if (open == open_.end() || !is_the_end(tell.stage)) return;
  if (!stands(tell.context.incident)) {
    open_.erase(open);
    return;
  }
  for (const NotifierSection& notifier : notifiers_) {
    const std::optional<rules::Duration> every = repeated_every(open->second, notifier);
    const rules::Instant joins = open->second.opened + notifier.after.value_or(rules::Duration::zero());
    if (every && tell.at < joins) open->second.told[notifier.name] = joins - *every;
  }
}

std::vector<OutboxEntry> Outbox::repeats(rules::Instant now) {
  std::vector<OutboxEntry> result;
  for (auto open = open_.begin(); open != open_.end();) {
    bool is_over = false;
    for (const NotifierSection& notifier : notifiers_) {
      const std::optional<rules::Instant> at = repeated_at(open->second, notifier);
      if (!at || *at > now) continue;
      const std::optional<rules::Situation> stands_now = stands(open->first);
      is_over = !stands_now;
      if (is_over) break;
      open->second.told[notifier.name] = now;
      // Who has not joined is told by join_late(), once there is something to be told.
      if (notifier.after && stands_now->goes_well && !open->second.joined.contains(notifier.name)) continue;
      open->second.severity = stands_now->message.context.severity;
      open->second.is_old = stands_now->needs_people && now >= stands_now->since + old_after;
      const rules::Tell& tell = stands_now->message;
      const bool is_progress = notifier.every && lets_through(notifier, rules::Stage::progress);
      const bool hears = (notifier.every && notifier.on.empty()) || is_progress ||
                         (stands_now->needs_people && lets_through(notifier, tell.stage));
      if (stands_now->acknowledged || !hears || !is_severe_enough(tell, notifier)) continue;
      // What is closed says itself when it is over.
      const bool is_closed = tell.outcome.has_value();
      note_joined(open->first, notifier.name);
      result.push_back({.notifier = notifier.name, .tell = tell, .due = now, .only_while_open = !is_closed});
    }
    open = is_over ? open_.erase(open) : std::next(open);
  }
  return result;
}

std::optional<rules::Instant> Outbox::next_repeat() const {
  std::optional<rules::Instant> next;
  for (const auto& [incident, open] : open_) {
    for (const NotifierSection& notifier : notifiers_) {
      const std::optional<rules::Instant> at = repeated_at(open, notifier);
      if (at && (!next || *at < *next)) next = at;
    }
  }
  return next;
}

// What was told before this start is repeated as well.
asio::awaitable<void> Outbox::recall_told() {
  std::map<rules::IncidentId, std::map<rules::NotifierName, Heard>> last;
  for (const auto& [incident, open] : open_) {
    for (const NotifierSection& notifier : notifiers_) {
      if (open.told.count(notifier.name) == 0) last[incident].try_emplace(notifier.name);
    }
  }
  if (last.empty()) co_return;
  std::function<void(Journal&)> work = [&last](Journal& journal) {
    for (auto& [incident, by_notifier] : last) {
      for (auto& [name, heard] : by_notifier) heard = journal.heard(name, incident);
    }
  };
  const bool done = co_await journal_.use(std::move(work));
  if (!done) co_return;
  for (const auto& [incident, by_notifier] : last) {
    for (const auto& [name, heard] : by_notifier) recall(incident, name, heard);
  }
}

void Outbox::recall(const rules::IncidentId& incident, const rules::NotifierName& name, const Heard& heard) {
  const NotifierSection* notifier = find(name);
  if (notifier == nullptr) return;
  Open& open = open_.at(incident);
  if (heard.newest) {
    remember(*heard.newest, *notifier, true);
    note_joined(incident, name);
    // Nobody hears of it sooner because we were started anew.
    const std::optional<rules::Situation> now = stands(incident);
    open.is_old = now && now->needs_people && clock_.now() >= now->since + old_after;
  } else if (!heard.waits && notifier->after && clock_.now() >= open.opened + *notifier->after) {
    // His time has come, and it went well then.
    pass_over(incident, name);
  }
}

}  // namespace watcher
