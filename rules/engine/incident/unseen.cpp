#include <algorithm>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/told.hpp"

// An incident that changed nothing and waits for its rules, when they cannot be measured: whether it is over is not
// known, but it neither stays open for ever nor ends as if it were.

namespace rules {

namespace {

// What cannot be measured for some minutes mostly can be again.
constexpr int blind_times = 10;
constexpr Duration at_least = std::chrono::hours(1);

}  // namespace

Duration unseen_max(Duration blind) { return std::max(blind_times * blind, at_least); }

std::vector<const WatchedRule*> Incident::uncleared() const {
  std::vector<const WatchedRule*> out;
  for (const JoinedRule& joined : record_.rules) {
    const WatchedRule* rule = in_.evidence.find(joined.rule);
    if (rule != nullptr && !rule->has_cleared(now())) out.push_back(rule);
  }
  return out;
}

bool Incident::is_unseen() const {
  const bool waits = record_.phase == IncidentPhase::held || record_.phase == IncidentPhase::telling;
  if (!waits || record_.by_hand || record_.past_no_return || record_.in_flight || record_.pending_outcome) return false;
  const std::vector<const WatchedRule*> rules = uncleared();
  return !rules.empty() &&
         std::all_of(rules.begin(), rules.end(), [](const WatchedRule* rule) { return rule->is(Verdict::unknown); });
}

// The longest that one of them takes to be blind.
Duration Incident::blind_for() const {
  Duration out{};
  for (const WatchedRule* rule : uncleared()) out = std::max(out, blind_after(rule->spec()));
  return out;
}

std::string Incident::unseen() const {
  if (!record_.unseen_since || now() < *record_.unseen_since + blind_for()) return "";
  const std::vector<const WatchedRule*> rules = uncleared();
  if (rules.empty()) return "";
  const WatchedRule& first = *rules.front();
  return "rule " + first.name().text + " cannot be measured since " + told(*record_.unseen_since) + " (" +
         std::string(to_string(first.when().cause)) + ")";
}

// Also for the next start: how often we start must not keep it open.
void Incident::note_sight() {
  const bool is_unseen_now = is_unseen();
  if (is_unseen_now == record_.unseen_since.has_value()) return;
  const bool was_told = record_.phase == IncidentPhase::telling && !record_.waiting_for.empty();
  record_.unseen_since = is_unseen_now ? std::optional(now()) : std::nullopt;
  if (!was_told) return save();
  record_.waiting_for.clear();
  tell(Stage::progress, "seen_again", "its rules can be measured again; it goes on as before");
}

// Returns whether it ended.
bool Incident::drive_unseen() {
  if (!record_.unseen_since) return false;
  const std::string why = unseen();
  if (why.empty()) return false;
  if (now() >= *record_.unseen_since + unseen_max(blind_for())) {
    finish(Outcome::unverifiable, why + ", so whether it is over is not known; what is seen bad again fires anew");
    return true;
  }
  // What is held says so as what it waits for.
  if (record_.phase != IncidentPhase::telling || !record_.waiting_for.empty()) return false;
  record_.waiting_for = why;
  const std::string text = why + "; it is closed at " + told(*record_.unseen_since + unseen_max(blind_for())) +
                           " unless that changes; `rollbackd explain " + uncleared().front()->name().text +
                           "` says what is missing";
  // That a P3 is not seen wakes nobody; of a probe that fails, and of what is blind for it, people have heard.
  const Stage stage = record_.severity == Severity::p3 ? Stage::progress : late_once("unseen", text);
  story("unseen", text);
  announce(stage, "unseen", text, "", in_.evidence.unseen_said_by(*uncleared().front()));
  return false;
}

// What it was about does not fire any more: what is bad when it can be measured again fires anew.
void Incident::forget_unseen() {
  if (!record_.unseen_since) return;
  for (const WatchedRule* rule : uncleared()) in_.evidence.restart_span(rule->name());
}

std::string Incident::left() const {
  std::string names;
  for (const JoinedRule& joined : record_.rules) {
    if (in_.evidence.find(joined.rule) == nullptr) names += (names.empty() ? "" : ", ") + joined.rule.text;
  }
  return names.empty() ? "" : "the configuration no longer has rule " + names + ", so nobody looks whether it is over";
}

}  // namespace rules
