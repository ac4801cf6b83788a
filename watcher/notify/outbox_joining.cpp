#include <algorithm>

#include "watcher/notify/outbox.hpp"
#include "watcher/report/text.hpp"

// Who has `after`: what is over by then, and what goes well by itself, he never hears of.

namespace watcher {

// Only faults and blindness are told of no incident. Those that have no end are told all the same.
void Outbox::hold_back(const rules::Tell& tell, const NotifierSection& notifier, std::vector<OutboxEntry>& out) {
  const rules::Duration after = *notifier.after;
  if (tell.lasting.what.empty()) {
    out.push_back({.notifier = notifier.name, .tell = tell, .due = tell.at + after});
    return;
  }
  Held& held = held_[{notifier.name, tell.lasting.what}];
  const auto is_past = [&](rules::Instant due) { return due <= tell.at; };
  held.is_told = std::erase_if(held.due, is_past) > 0 || held.is_told;
  if (!tell.lasting.is_over) {
    held.due.push_back(free_time(notifier, tell.at + after));
    OutboxEntry entry{.notifier = notifier.name, .tell = tell, .due = held.due.back(), .only_while_open = true};
    entry.tell.text = "It has lasted for " + duration_text(after) + ". " + tell.text;
    out.push_back(std::move(entry));
    return;
  }
  for (const rules::Instant due : held.due) {
    out.push_back({.notifier = notifier.name, .tell = tell, .due = due, .replaces = true, .is_told = false});
  }
  // Of what nothing is known it began before a reload.
  if (held.is_told || held.due.empty()) out.push_back({.notifier = notifier.name, .tell = tell, .due = tell.at});
  held_.erase({notifier.name, tell.lasting.what});
}

// By its time a message is found that is taken back.
rules::Instant Outbox::free_time(const NotifierSection& notifier, rules::Instant wanted) const {
  const auto is_taken = [&](const auto& one) {
    const std::vector<rules::Instant>& due = one.second.due;
    return one.first.first == notifier.name && std::find(due.begin(), due.end(), wanted) != due.end();
  };
  while (std::any_of(held_.begin(), held_.end(), is_taken)) wanted += rules::Duration(1);
  return wanted;
}

// Whether it is told, when its time has come.
bool Outbox::may_join(const rules::IncidentId& incident, const NotifierSection& notifier, rules::Stage stage) const {
  if (!notifier.after) return true;
  const auto open = open_.find(incident);
  if (open == open_.end() || open->second.joined.contains(notifier.name)) return true;
  if (stage == rules::Stage::failed || stage == rules::Stage::ask) return true;
  if (is_the_end(stage)) return false;
  const std::optional<rules::Situation> now = stands(incident);
  return !now || !now->goes_well;
}

void Outbox::note_joined(const rules::IncidentId& incident, const rules::NotifierName& notifier) {
  const auto open = open_.find(incident);
  if (open != open_.end()) open->second.joined.insert(notifier);
}

// A first message that is due, while all goes well.
bool Outbox::drops(const OutboxEntry& entry, const NotifierSection& notifier) const {
  const bool is_first = entry.only_while_open && entry.attempts == 0 && !entry.tell.context.incident.empty();
  return is_first && !may_join(entry.tell.context.incident, notifier, rules::Stage::progress);
}

void Outbox::pass_over(const rules::IncidentId& incident, const rules::NotifierName& notifier) {
  const auto open = open_.find(incident);
  if (open != open_.end()) open->second.passed_over.insert(notifier);
}

// Whose time came while all went well, and now it does not any more.
void Outbox::join_late(rules::Instant now) {
  for (auto& [incident, open] : open_) {
    for (const NotifierSection& notifier : notifiers_) {
      if (!open.passed_over.contains(notifier.name) || open.joined.contains(notifier.name)) continue;
      std::optional<rules::Situation> stands_now = stands(incident);
      if (!stands_now || stands_now->goes_well || !is_severe_enough(stands_now->message, notifier)) continue;
      OutboxEntry entry{.notifier = notifier.name, .tell = std::move(stands_now->message), .due = now};
      if (entry.tell.stage == rules::Stage::progress) entry.tell.stage = rules::Stage::started;
      open.joined.insert(notifier.name);
      if (lets_through(notifier, entry.tell.stage)) joining_.push_back(std::move(entry));
      woken_ = woken_ || !joining_.empty();
    }
  }
}

}  // namespace watcher
