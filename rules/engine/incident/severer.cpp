#include "rules/engine/incident/severer.hpp"

#include <algorithm>

#include "rules/engine/incident/ladder.hpp"
#include "rules/engine/own_trouble.hpp"

namespace rules {

namespace {

// Somebody who need not ask responds with the next rung.
bool may_act_next(const IncidentRecord& incident, const Evidence& evidence, Mode cap) {
  const std::size_t next = incident.rung + 1;
  return next < incident.ladder.size() &&
         std::any_of(incident.rules.begin(), incident.rules.end(), [&](const JoinedRule& joined) {
           const WatchedRule* rule = evidence.find(joined.rule);
           if (rule == nullptr || mode_of(rule->spec(), cap) < Mode::act) return false;
           const std::vector<ActionName>& respond = rule->spec().respond;
           return std::find(respond.begin(), respond.end(), incident.ladder[next]) != respond.end();
         });
}

}  // namespace

bool severer_waits(const IncidentRecord& incident, const Evidence& evidence, Mode cap) {
  Severity worst = Severity::p3;
  bool waits = false;
  for (const JoinedRule& joined : incident.rules) {
    const bool is_severer = joined.severity < worst && &joined != &incident.rules.front();
    worst = std::min(worst, joined.severity);
    const WatchedRule* rule = evidence.find(joined.rule);
    if (!is_severer || rule == nullptr) continue;
    const Mode mode = mode_of(rule->spec(), cap);
    if (mode < Mode::ask || (mode == Mode::ask && may_act_next(incident, evidence, cap))) continue;
    const bool is_bad = rule->is_firing() && rule->is(Verdict::bad);
    waits = is_bad && is_next_of(rule->spec().respond, incident.ladder, incident.rung);
  }
  return waits;
}

}  // namespace rules
