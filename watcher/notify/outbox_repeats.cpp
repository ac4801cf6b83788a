#include <algorithm>

#include "watcher/notify/outbox.hpp"
#include "watcher/report/text.hpp"

// What is told again, as long as an incident is open.

namespace watcher {

// What was not told is part of what is repeated: it says how far things are.
void Outbox::remember(const rules::Tell& tell, const NotifierSection& notifier, bool is_told) {
  const auto open = open_.find(tell.context.incident);
  if (!notifier.every || open == open_.end()) return;
  open->second.last[notifier.name] = tell;
  const rules::Instant joins = open->second.opened + notifier.after.value_or(rules::Duration::zero());
  rules::Instant& told = open->second.told.try_emplace(notifier.name, joins).first->second;
  if (is_told) told = std::max({told, tell.at, joins});
}

std::vector<OutboxEntry> Outbox::repeats(rules::Instant now) {
  std::vector<OutboxEntry> result;
  for (auto& [incident, open] : open_) {
    for (auto& [name, told] : open.told) {
      const NotifierSection* notifier = find(name);
      if (notifier == nullptr || !notifier->every || told + *notifier->every > now) continue;
      told = now;
      rules::Tell tell = open.last.at(name);
      tell.stage = rules::Stage::progress;
      tell.text = "Still open after " + duration_text(now - open.opened) + ". " + tell.text;
      tell.at = now;
      if (!notifier->on.empty() && !lets_through(*notifier, rules::Stage::progress)) continue;
      OutboxEntry entry;
      entry.notifier = name;
      entry.tell = std::move(tell);
      entry.due = now;
      entry.only_while_open = true;
      result.push_back(std::move(entry));
    }
  }
  return result;
}

std::optional<rules::Instant> Outbox::next_repeat() const {
  std::optional<rules::Instant> next;
  for (const auto& [incident, open] : open_) {
    for (const auto& [name, told] : open.told) {
      const NotifierSection* notifier = find(name);
      if (notifier == nullptr || !notifier->every) continue;
      const rules::Instant at = told + *notifier->every;
      if (!next || at < *next) next = at;
    }
  }
  return next;
}

// What was told before this start is repeated as well.
asio::awaitable<void> Outbox::recall_told() {
  std::map<rules::IncidentId, std::map<rules::NotifierName, rules::Tell>> last;
  for (const auto& [incident, open] : open_) {
    for (const NotifierSection& notifier : notifiers_) {
      if (notifier.every && open.told.count(notifier.name) == 0) last[incident].try_emplace(notifier.name);
    }
  }
  if (last.empty()) co_return;
  std::function<void(Journal&)> work = [&last](Journal& journal) {
    for (auto& [incident, by_notifier] : last) {
      for (auto& [name, tell] : by_notifier) tell = journal.last_told(name, incident).value_or(rules::Tell());
    }
  };
  const bool done = co_await journal_.use(std::move(work));
  if (!done) co_return;
  for (const auto& [incident, by_notifier] : last) {
    for (const auto& [name, tell] : by_notifier) {
      const NotifierSection* notifier = find(name);
      if (notifier != nullptr && !tell.context.incident.empty()) remember(tell, *notifier, true);
    }
  }
}

}  // namespace watcher
