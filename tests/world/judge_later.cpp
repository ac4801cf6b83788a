#include <algorithm>

#include "judge.hpp"

// What is looked at when an incident is over.

namespace sim {

using namespace rules;

namespace {

// For what cannot be measured is waited; then one timer, and what saving takes.
constexpr Duration looked_at_within = 2min;

}  // namespace

void Judge::told_later(const Tell& tell) {
  Incident& incident = incidents_[tell.context.incident];
  reach("told later");
  const IncidentRecord& record = incident.record;
  if (record.outcome != Outcome::recovered) breach("something is looked at of " + record.id.text + ", which failed");
  if (!incident.told_later.insert(tell.title).second) breach("told twice: " + tell.title);
  const bool holds = tell.title.find("not hold") == std::string::npos;
  if (tell.stage == Stage::failed && holds) breach("what is not known to be bad wakes people: " + tell.title);
}

void Judge::check_later(const Watcher& watcher, const ServiceView& view) {
  const ServiceSpec* of = spec(watcher, view.service);
  const Service& known = service(view.service);
  if (of == nullptr || watcher.disk() != Disk::well || degraded_[watcher.number()]) return;
  const auto is_overdue = [&](Instant due) {
    return now() > std::max(due, known.watched_since) + of->start_deadline + looked_at_within;
  };
  for (const LaterView& later : view.later) {
    if (is_overdue(later.check.due)) breach("what was to be looked at of " + later.incident.text + " is forgotten");
  }
  if (unaccepted_.contains(watcher.number())) return;
  for (const auto& [id, incident] : incidents_) {
    if (incident.watcher != watcher.number() || incident.record.service != view.service || incident.in_trouble)
      continue;
    for (const LaterCheck& check : incident.record.later) {
      if (check.end == LaterEnd::waits && is_overdue(check.due))
        breach("of " + id.text + " something is never looked at");
    }
  }
}

}  // namespace sim
