#include <algorithm>
#include <utility>

#include "watcher/notify/outbox.hpp"

// What the journal could not take. It has no number there yet, and its end is written nowhere.

namespace watcher {

namespace {

// What waits for a time, or for who joins later, can be decided only by the journal.
bool goes_without_journal(const OutboxEntry& entry, rules::Instant now) {
  return entry.due <= now && !entry.only_while_open && !entry.replaces && entry.is_told;
}

}  // namespace

void Outbox::owe(std::vector<OutboxEntry> entries) {
  owed_.insert(owed_.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
  if (std::ssize(owed_) > owed_max) owed_.erase(owed_.begin(), owed_.end() - owed_max);
  start_owed();
}

std::vector<OutboxEntry> Outbox::take_owed() {
  std::vector<OutboxEntry> out(std::make_move_iterator(owed_.begin()), std::make_move_iterator(owed_.end()));
  owed_.clear();
  return out;
}

// A notifier whose last delivery only waits to be written down is free for what cannot be written either.
bool Outbox::is_in_flight(const rules::NotifierName& notifier) const {
  if (!busy_.contains(notifier)) return false;
  return std::none_of(ended_.begin(), ended_.end(),
                      [&](const Ended& ended) { return ended.entry.notifier == notifier; });
}

void Outbox::start_owed() {
  const rules::Instant now = clock_.now();
  std::set<rules::NotifierName> waiting;  // the order of each is kept
  for (auto entry = owed_.begin(); entry != owed_.end();) {
    const bool is_next = waiting.insert(entry->notifier).second;
    if (!is_next || !goes_without_journal(*entry, now) || is_in_flight(entry->notifier)) {
      ++entry;
      continue;
    }
    OutboxEntry due = std::move(*entry);
    entry = owed_.erase(entry);
    start(std::move(due));
  }
}

// What was delivered from memory and failed is owed again.
void Outbox::settle_owed() {
  for (auto ended = ended_.begin(); ended != ended_.end();) {
    if (ended->entry.id != 0) {
      ++ended;
      continue;
    }
    judge(*ended);
    const Ended one = std::move(*ended);
    ended = ended_.erase(ended);
    const rules::NotifierName& notifier = one.entry.notifier;
    const bool still_waits =
        std::any_of(ended_.begin(), ended_.end(), [&](const Ended& other) { return other.entry.notifier == notifier; });
    if (!still_waits) busy_.erase(notifier);
    const std::optional<rules::Duration> delay = retry_delay(one.entry.attempts + 1);
    if (one.delivery.delivered || one.delivery.permanent || !delay) continue;
    OutboxEntry again = one.entry;
    ++again.attempts;
    again.due = clock_.now() + std::max(*delay, one.delivery.retry_after.value_or(rules::Duration::zero()));
    owed_.push_front(std::move(again));
  }
}

}  // namespace watcher
