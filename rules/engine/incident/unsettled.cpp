#include "rules/engine/incident/unsettled.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/outcomes.hpp"
#include "rules/engine/incident/summary.hpp"
#include "rules/engine/titles.hpp"
#include "rules/engine/told.hpp"

namespace rules {

namespace {

// By then people were reminded, or may have been: what was good again before needs no message of its own.
constexpr Duration good_told_after = std::chrono::minutes(30);

constexpr std::string_view of_another = "its rules are those of another incident now";

}  // namespace

void Unsettled::take(const IncidentRecord& closed) {
  if (!closed.outcome || !is_failure(*closed.outcome) || closed.aborted || closed.severity == Severity::p3) return;
  const bool is_bad = std::any_of(closed.rules.begin(), closed.rules.end(), [&](const JoinedRule& joined) {
    const WatchedRule* rule = doors_.evidence.find(joined.rule);
    if (rule == nullptr || joined.severity == Severity::p3) return false;
    // What is left alone though it cannot be measured, or not yet again, may turn out to be bad.
    const bool may_be_bad =
        closed.past_no_return && is_given_up(*closed.outcome) && !rule->has_cleared(doors_.effects.now());
    return rule->is_firing() || rule->is(Verdict::bad) || may_be_bad;
  });
  if (!is_bad) return;
  // Whose rules are all in the newer one, that speaks for.
  std::erase_if(ended_, [&](const IncidentRecord& older) {
    const bool is_spoken_for = std::all_of(older.rules.begin(), older.rules.end(), [&](const JoinedRule& one) {
      return std::any_of(closed.rules.begin(), closed.rules.end(),
                         [&](const auto& now) { return now.rule == one.rule; });
    });
    if (is_spoken_for) end_alerts(older, std::string(of_another));
    return is_spoken_for;
  });
  ended_.push_back(closed);
}

void Unsettled::look(const Incident* open) {
  if (ended_.empty() && known_.empty()) return;
  auto over = std::erase_if(ended_, [&](const IncidentRecord& ended) { return is_over(ended, open, Said::news); });
  over += std::erase_if(known_, [&](const IncidentRecord& known) { return is_over(known, open, Said::known); });
  if (over > 0) doors_.save();
}

void Unsettled::restore(IncidentRecord closed) {
  const bool is_known = closed.acknowledged && closed.closed && *closed.acknowledged > *closed.closed;
  (is_known ? known_ : ended_).push_back(std::move(closed));
}

bool Unsettled::is_over(const IncidentRecord& ended, const Incident* open, Said said) const {
  // That one is judged on its own. Where its own switch led to may be seen only after it was closed.
  const bool is_own = ended.switched && doors_.revisions.running() == ended.to;
  if (!is_own && doors_.revisions.running_since() > *ended.closed) {
    if (said == Said::news) end_alerts(ended, "another revision runs, which is judged on its own");
    return true;
  }
  bool is_watched = false;
  bool is_in_another = false;
  for (const JoinedRule& joined : ended.rules) {
    const WatchedRule* rule = doors_.evidence.find(joined.rule);
    is_watched = is_watched || rule != nullptr;
    if (rule == nullptr || joined.severity == Severity::p3 || rule->has_cleared(doors_.effects.now())) continue;
    if (open == nullptr || !open->has_joined(joined.rule)) return false;
    is_in_another = true;
  }
  const bool is_good = is_watched && !is_in_another;
  if (said == Said::known) return true;
  if (is_good && doors_.effects.now() >= *ended.closed + good_told_after) {
    tell_good(ended);
  } else {
    std::string_view why = is_good ? "its rules are good again" : of_another;
    if (!is_watched) why = "its rules are not in the configuration any more";
    end_alerts(ended, std::string(why));
  }
  return true;
}

Tell Unsettled::about_end(const IncidentRecord& ended, std::string_view why) const {
  Tell tell;
  tell.stage = Stage::cleared;
  tell.context = context_of(ended, doors_.evidence, doors_.revisions);
  tell.outcome = ended.outcome;
  const std::string after =
      told(doors_.effects.now() - *ended.closed) + " after it ended as " + std::string(to_string(*ended.outcome));
  tell.title = with_short_commits(ended.service.text + ": " + std::string(why) + ", " + after);
  tell.opened = ended.opened;
  tell.at = doors_.effects.now();
  return tell;
}

void Unsettled::tell_good(const IncidentRecord& ended) const {
  Tell tell = about_end(ended, "its rules are good again");
  tell.text = "Its rules are good again, " + tell.title.substr(tell.title.rfind(", ") + 2) +
              ". Nobody is reminded of it any more.\nIncident: " + ended.id.text;
  doors_.effects.emit(std::move(tell));
}

// Whoever heard that it failed needs no message; an alert of it stays open until it hears of its end.
void Unsettled::end_alerts(const IncidentRecord& ended, std::string why) const {
  Tell tell = about_end(ended, why);
  tell.said_by = {{Stage::failed, ended.severity}};
  why.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(why.front())));
  tell.text = why + ".\nIncident: " + ended.id.text;
  doors_.effects.emit(std::move(tell));
}

bool Unsettled::acknowledge(const IncidentId& incident, const std::string& by) {
  const auto found = std::find_if(ended_.begin(), ended_.end(), [&](const auto& one) { return one.id == incident; });
  if (found == ended_.end()) return false;
  IncidentRecord known = std::move(*found);
  ended_.erase(found);
  known.acknowledged = doors_.effects.now();
  known.timeline.push_back({doors_.effects.now(), "acknowledged", "by " + by});
  end_alerts(known, "it was acknowledged by " + by);
  doors_.effects.save(known);
  doors_.effects.emit(WriteReport{known.id});
  // What its switch was refused for may be gone after the next start.
  if (known.outcome == Outcome::action_failed && !known.switched) known_.push_back(std::move(known));
  doors_.save();
  return true;
}

std::vector<IncidentId> Unsettled::incidents() const {
  std::vector<IncidentId> out;
  for (const IncidentRecord& ended : ended_) out.push_back(ended.id);
  for (const IncidentRecord& known : known_) out.push_back(known.id);
  return out;
}

const IncidentRecord* Unsettled::find(const IncidentId& incident) const {
  const auto found = std::find_if(ended_.begin(), ended_.end(), [&](const auto& one) { return one.id == incident; });
  return found == ended_.end() ? nullptr : &*found;
}

const IncidentRecord* Unsettled::about(const RuleName& rule) const {
  const auto found = std::find_if(ended_.rbegin(), ended_.rend(), [&](const IncidentRecord& ended) {
    return std::any_of(ended.rules.begin(), ended.rules.end(), [&](const auto& joined) { return joined.rule == rule; });
  });
  return found == ended_.rend() ? nullptr : &*found;
}

}  // namespace rules
