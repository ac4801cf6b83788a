#include <algorithm>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/ladder.hpp"
#include "rules/engine/titles.hpp"
#include "rules/engine/told.hpp"

// An incident opens, and other rules join it (SPEC 2.20).

namespace rules {

namespace {

JoinedRule joined_now(const WatchedRule& rule, Instant now) {
  const RuleProgress progress = rule.progress(now);
  JoinedRule joined;
  joined.rule = rule.name();
  joined.severity = rule.spec().severity;
  joined.joined = now;
  joined.evidence = rule.when().comparisons;
  joined.bad_ns = progress.bad.count();
  joined.for_ns = rule.spec().sustain.count();
  joined.samples = progress.bad_samples;
  joined.bad_since = progress.bad_since;
  return joined;
}

}  // namespace

Incident::Incident(const Surroundings& in, IncidentRecord record, const std::vector<ActionSpec>& plans)
    : in_(in), record_(std::move(record)), lock_(in.host, in.effects) {
  for (const ActionSpec& action : plans) plans_.emplace(action.name, action);
}

bool Incident::answers(const WatchedRule& rule) const {
  return has_joined(rule.name()) && !has_fired_since_decided(rule);
}

bool Incident::has_joined(const RuleName& rule) const {
  return std::any_of(record_.rules.begin(), record_.rules.end(),
                     [&](const JoinedRule& one) { return one.rule == rule; });
}

void Incident::open(const WatchedRule& rule) {
  record_.rules.push_back(joined_now(rule, now()));
  record_.severity = rule.spec().severity;
  begin_times(&rule);
  add_rungs(rule.spec(), true);
  if (const int rung = in_.limits.rung_of(rule.name()); rung > 0 && !record_.ladder.empty()) {
    record_.rung = std::min(static_cast<std::size_t>(rung), record_.ladder.size() - 1);
  }
  in_.effects.note("incident_opened", {{"incident", record_.id.text},
                                       {"rule", rule.name().text},
                                       {"severity", std::string(to_string(record_.severity))}});
  const JoinedRule& fired = record_.rules.front();
  tell(Stage::started, "fired",
       evidence_of(fired) + " for " + told(Duration(fired.bad_ns)) + ", " + std::to_string(fired.samples) +
           " bad samples");
}

void Incident::open_by_hand() {
  begin_times(nullptr);
  const std::string& by = record_.approved_by;
  in_.effects.note("incident_opened", {{"incident", record_.id.text}, {"by", by}});
  tell(Stage::started, "by_hand",
       "rollback by hand" + (by.empty() ? "" : " by " + by) + (record_.reason.empty() ? "" : ": " + record_.reason));
}

// A more severe rule starts its own response at once, other untried rungs are appended.
void Incident::join(const WatchedRule& rule) {
  const bool has_say = mode_of(rule.spec(), in_.trouble.cap()) >= Mode::ask;
  const bool more_severe = rule.spec().severity < record_.severity && has_say;
  record_.rules.push_back(joined_now(rule, now()));
  record_.severity = std::min(record_.severity, rule.spec().severity);
  const std::vector<ActionName> ladder_before = record_.ladder;
  add_rungs(rule.spec(), more_severe);
  const bool waits = record_.phase == IncidentPhase::held || record_.phase == IncidentPhase::asking ||
                     record_.phase == IncidentPhase::telling;
  if (waits && !record_.in_flight && has_say) {
    // Why another rule had to ask is not this one's reason.
    record_.asked.clear();
    enter(IncidentPhase::held);
  } else if (more_severe && record_.ladder != ladder_before) {
    climb_now_ = true;
  }
  const bool is_left_out = !has_say && rule.spec().severity != Severity::p3 && record_.phase == IncidentPhase::telling;
  tell(Stage::progress, "joined",
       fired_too(rule) + rule.spec().when.text() +
           (is_left_out ? "; " + nothing_is_done(std::string(only_telling)) : ""));
}

// What this incident came to is decided; what fires now is judged on its own, but only when the host's lock and the
// last steps let this one end.
void Incident::keep_waiting(const WatchedRule& rule) {
  if (!kept_waiting_.insert(rule.name()).second || rule.spec().severity == Severity::p3) return;
  tell(Stage::progress, "fired_meanwhile", fired_too(rule) + "it is answered when this incident has ended");
}

std::string Incident::fired_too(const WatchedRule& rule) const {
  return "rule " + rule.name().text + " (" + std::string(to_string(rule.spec().severity)) + ") fired too: ";
}

// A rung that no rule which still is bad responds with is not what it waits for, where there is a later one that is.
void Incident::skip_rungs() {
  if (record_.by_hand || rung_started() || rung_began_) return;
  const Mode cap = in_.trouble.cap();
  const auto is_wanted = [&](const ActionName& action) {
    return std::any_of(record_.rules.begin(), record_.rules.end(), [&](const JoinedRule& joined) {
      const WatchedRule* rule = in_.evidence.find(joined.rule);
      if (rule == nullptr || rule->has_cleared(now()) || mode_of(rule->spec(), cap) < Mode::ask) return false;
      const std::vector<ActionName>& respond = rule->spec().respond;
      return std::find(respond.begin(), respond.end(), action) != respond.end();
    });
  };
  for (std::size_t rung = record_.rung; rung < record_.ladder.size(); ++rung) {
    if (!is_wanted(record_.ladder[rung])) continue;
    if (std::exchange(record_.rung, rung) != rung)
      story("rung_skipped", record_.ladder[rung].text + " is what is asked for");
    return;
  }
}

// `first`: its untried rungs come before the other untried ones.
void Incident::add_rungs(const RuleSpec& rule, bool first) {
  if (mode_of(rule, in_.trouble.cap()) < Mode::ask) return;
  std::vector<ActionName> response;
  for (const ActionName& action : rule.respond) {
    if (plans_.contains(action)) response.push_back(action);
  }
  const bool current_is_untried = !rung_started() && !record_.past_no_return;
  const bool is_open_to_change = record_.ladder.empty() || current_is_untried;
  const std::size_t tried = std::min(record_.ladder.size(), record_.rung + (is_open_to_change ? 0 : 1));
  record_.ladder = with_rungs(record_.ladder, tried, response, first ? Untried::first : Untried::last);
}

}  // namespace rules
