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

std::string why_fired(const JoinedRule& fired) {
  return evidence_of(fired) + " for " + told(Duration(fired.bad_ns)) + ", " + std::to_string(fired.samples) +
         " bad samples";
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
  explain();
  opening_ = why_fired(record_.rules.front());
  story("fired", opening_);
}

void Incident::open_by_hand() {
  begin_times(nullptr);
  const std::string& by = record_.approved_by;
  in_.effects.note("incident_opened", {{"incident", record_.id.text}, {"by", by}});
  explain();
  opening_ = "rollback by hand" + (by.empty() ? "" : " by " + by) +
             (record_.backup.empty() ? "" : ", with backup " + record_.backup) +
             (record_.reason.empty() ? "" : ": " + record_.reason);
  story("by_hand", opening_);
}

// Before anything is done, and when all have joined that fire at the same moment: one message says what happened and
// what is done about it.
void Incident::tell_opening() {
  const std::string why = std::exchange(opening_, "");
  if (record_.by_hand) return announce(Stage::started, "by_hand", why, takes().empty() ? "" : what_is_done());
  std::string more = what_follows();
  for (const JoinedRule& joined : record_.rules) {
    const bool is_named = &joined == leading_rule(record_);
    if (!is_named) more += (more.empty() ? "" : "\n") + std::string("Fires too: ") + joined.rule.text;
  }
  announce(Stage::started, "fired", why_fired(*leading_rule(record_)), more);
}

// As far as it can be known now. What is not done, or waits, is not told once more right after.
std::string Incident::what_follows() {
  skip_rungs();
  const GateView view = gate_view();
  const Gate answer = gate(view);
  switch (answer.kind) {
    case GateKind::go: {
      if (view.action == nullptr) return "";
      std::string text = what_is_done();
      for (std::size_t rung = record_.rung + 1; rung < record_.ladder.size(); ++rung)
        text += (rung == record_.rung + 1 ? "; if it does not help: " : ", ") + record_.ladder[rung].text;
      return text + take_skipped();
    }
    case GateKind::ask:
      return "Somebody is asked first: " + answer.why;
    case GateKind::hold:
      story("held", waits_for(answer.why));
      return waits_for(answer.why) + take_skipped();
    case GateKind::tell: {
      if (record_.severity == Severity::p3)
        return "Nothing is done: rule " + leading_rule(record_)->rule.text + " is P3, which is only told; " +
               by_hand() + ".";
      std::string text = nothing_is_done(why_only_told(answer.why));
      story("telling", text);
      return text;
    }
    case GateKind::close:
      return "";
  }
  return "";
}

std::string Incident::what_is_done() const {
  const ActionSpec& action = *plan();
  const SwitchStep* step = action.switch_step();
  const Target to = step == nullptr ? Target() : target(*step);
  const bool is_known = to.revision && !record_.from.empty();
  return (is_known ? "Now: rolling back " + record_.from.text + " → " + to.revision->text
                   : "Now: running " + action.name.text) +
         takes();
}

// The most severe rule's words, and the service's where it has none.
void Incident::explain() {
  record_.explanation = in_.service.explanation;
  const JoinedRule* leading = leading_rule(record_);
  const WatchedRule* rule = leading == nullptr ? nullptr : in_.evidence.find(leading->rule);
  if (rule != nullptr) record_.explanation = rule->spec().explanation->or_else(in_.service.explanation);
}

// A more severe rule starts its own response at once, other untried rungs are appended.
void Incident::join(const WatchedRule& rule) {
  const bool has_say = mode_of(rule.spec(), in_.trouble.cap()) >= Mode::ask;
  const bool more_severe = rule.spec().severity < record_.severity && has_say;
  const bool is_worse = rule.spec().severity < record_.severity;
  const Severity heard_as = record_.severity;
  record_.rules.push_back(joined_now(rule, now()));
  record_.severity = std::min(record_.severity, rule.spec().severity);
  if (rule.spec().severity != Severity::p3) record_.would_have_done.clear();
  explain();
  add_rungs(rule.spec(), more_severe);
  const bool waits = record_.phase == IncidentPhase::held || record_.phase == IncidentPhase::asking ||
                     record_.phase == IncidentPhase::telling;
  const bool begins_anew = waits && !record_.in_flight && has_say;
  if (waits && !record_.in_flight && has_say) {
    // Why another rule had to ask is not this one's reason.
    record_.asked.clear();
    enter(IncidentPhase::held);
  }
  const bool is_left_out = !has_say && rule.spec().severity != Severity::p3 && record_.phase == IncidentPhase::telling;
  const std::string text = fired_too(rule) + rule.spec().when.text() +
                           (is_left_out ? "; " + nothing_is_done(std::string(only_telling)) : "");
  if (!opening_.empty()) return story("joined", text);
  if (is_worse) return begins_anew ? tell_worse(text, heard_as) : tell_in_plan(text, heard_as);
  tell(is_left_out ? Stage::late : Stage::progress, "joined", text);
}

// For who is told of severe ones alone this may be the first that he hears.
void Incident::tell_in_plan(const std::string& text, Severity heard_as) {
  story("joined", text);
  announce(Stage::late, "joined", text, under_way(), said_at_most(heard_as));
}

std::string Incident::under_way() const {
  const ActionSpec* action = plan();
  if (action == nullptr || is_waiting() || record_.phase == IncidentPhase::telling) return "";
  const bool is_known = action->switches() && !record_.to.empty() && !record_.from.empty();
  std::string text = "Under way already: " + (is_known ? "rolling back " + record_.from.text + " → " + record_.to.text
                                                       : "action " + action->name.text);
  if (severer_waits() && record_.rung + 1 < record_.ladder.size())
    text += "; then " + record_.ladder[record_.rung + 1].text;
  return text;
}

// What is done now, or waited for, is said with it; a question, or the end, that follows at once says it.
void Incident::tell_worse(const std::string& text, Severity heard_as) {
  story("joined", text);
  skip_rungs();
  const GateKind next = gate(gate_view()).kind;
  if (next == GateKind::ask) joined_ = " " + text + ".";
  const bool is_said_next = next == GateKind::ask || next == GateKind::close;
  const std::string more = is_said_next ? "" : what_follows();
  announce(is_said_next ? Stage::progress : Stage::late, "joined", text, more, said_at_most(heard_as));
  if (next == GateKind::go) story("question_withdrawn", "a more severe rule is acted on");
}

// What this incident came to is decided; what fires now is judged on its own, but only when the host's lock and the
// last steps let this one end.
void Incident::keep_waiting(const WatchedRule& rule) {
  const std::string text = fired_too(rule) + "it is answered when this incident has ended";
  if (has_said("fired_meanwhile", text) || rule.spec().severity == Severity::p3) return;
  tell(Stage::late, "fired_meanwhile", text);
}

std::string Incident::fired_too(const WatchedRule& rule) const {
  return "rule " + rule.name().text + " (" + std::string(to_string(rule.spec().severity)) + ") fired too: ";
}

// A rung that no rule which still is bad responds with is not what it waits for, nor one that lacks a backup or a
// target, where there is a later one that is.
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
  std::string why_not;
  std::string skipped;
  std::optional<std::size_t> first;
  for (std::size_t rung = record_.rung; rung < record_.ladder.size(); ++rung) {
    if (!is_wanted(record_.ladder[rung])) continue;
    if (!first) first = rung;
    const std::string lacks = what_rung_lacks(record_.ladder[rung]);
    if (why_not.empty()) why_not = lacks;
    if (!lacks.empty())
      skipped += (skipped.empty() ? "" : "; ") + record_.ladder[rung].text + " is passed over: " + lacks;
    if (!lacks.empty()) continue;
    if (std::exchange(record_.rung, rung) == rung) return;
    skipped_ = skipped;
    const std::string reason = why_not.empty() ? "" : ", because " + why_not;
    return story("rung_skipped", record_.ladder[rung].text + " is what is asked for" + reason);
  }
  // None can be done: the first one says what is missing.
  if (first && std::exchange(record_.rung, *first) != *first)
    story("rung_skipped", record_.ladder[*first].text + " is what is asked for");
}

// To be said once, behind what is done instead.
std::string Incident::take_skipped() {
  const std::string skipped = std::exchange(skipped_, "");
  return skipped.empty() ? "" : ". " + skipped;
}

// Why the action could not be begun, where the next one may be; empty: it could, or nobody knows what runs.
std::string Incident::what_rung_lacks(const ActionName& rung) const {
  const auto found = plans_.find(rung);
  if (found == plans_.end() || !found->second.mutates()) return "";
  const ActionSpec& action = found->second;
  const LedgerRecord* from = in_.revisions.find(record_.from);
  const bool is_forbidden = from != nullptr && from->policy == RollbackPolicy::forbidden;
  if (is_forbidden && action.switches()) return std::string(mark_forbids);
  std::string lacks = why_no_backup(action, in_.revisions, record_.from, record_.backup);
  const SwitchStep* step = action.switch_step();
  const bool is_read = in_.revisions.readability().why_not().empty();
  if (!lacks.empty() || step == nullptr || !is_read) return lacks;
  Target to = target(*step);
  if (!to.revision) return action.name.text + " has no target: " + to.why_not;
  // What blows for a switch alone may leave room for what switches nothing.
  const bool is_for_switches = in_.limits.blown(from, false).empty();
  return is_for_switches ? in_.limits.blown(from, true) : "";
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
