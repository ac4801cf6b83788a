#include "rules/engine/titles.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "rules/base/commit.hpp"
#include "rules/conditions/unit.hpp"
#include "rules/engine/incident/outcomes.hpp"
#include "rules/engine/told.hpp"
#include "rules/incidents/story.hpp"

namespace rules {

namespace {

constexpr std::size_t short_length = 12;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// " v2 → v1", as far as it is known.
std::string way(const IncidentRecord& incident) {
  const std::string from = named(incident.from, incident.from_label);
  if (incident.to.empty()) return incident.from.empty() ? "" : " " + from;
  return " " + (incident.from.empty() ? "an unknown revision" : from) + " → " + named(incident.to, incident.to_label);
}

// (errors, P1)
std::string cause_of(const IncidentRecord& incident) {
  if (incident.by_hand) return " (by hand)";
  const JoinedRule* rule = leading_rule(incident);
  if (rule == nullptr) return "";
  return " (" + rule->rule.text + ", " + std::string(to_string(incident.severity)) + ")";
}

std::string named(const JoinedRule& joined) {
  return joined.rule.text + " (" + std::string(to_string(joined.severity)) + ")";
}

// "every rule is good again; then wait ...": that is good stands in the title already.
std::string after_verified(const std::string& why) {
  constexpr std::string_view then = "; then ";
  const std::size_t at = why.find(then);
  return at == std::string::npos ? why : why.substr(at + then.size());
}

std::string ended(const IncidentRecord& incident, Outcome outcome, const std::string& action) {
  // What it leaves stands in the text below.
  const std::string why = incident.outcome_detail.substr(0, incident.outcome_detail.find(stays_as_it_is));
  const bool target_runs = incident.switched && !incident.to.empty();
  switch (outcome) {
    case Outcome::recovered:
      return "recovered: " +
             (target_runs ? named(incident.to, incident.to_label) + " runs and " + why : action + " helped, " + why);
    case Outcome::not_recovered:
      return "not recovered, people are needed: " + why;
    case Outcome::wrong_revision:
      return "wrong revision runs, people are needed: " + why;
    case Outcome::unverifiable:
      if (is_only_told(incident)) return "over, told only: " + why;
      if (!incident.past_no_return) return "not acted, people are needed: " + why;
      return "nobody knows whether " + action + " helped, people are needed: " + why;
    case Outcome::action_failed:
      if (was_verified(incident)) return "it works again, but people are needed: " + after_verified(why);
      return action + " failed, people are needed: " + why;
    case Outcome::no_target:
      return "nothing to roll back to, people are needed: " + why;
    case Outcome::fused:
      return "not acted, the fuse is blown, people are needed: " + why;
    case Outcome::superseded:
      return "superseded: " + why;
    case Outcome::aborted:
      return "aborted: " + why;
    case Outcome::observed:
      return "over, observed only: " + why;
    case Outcome::notified:
      return "over, told only: " + why;
    case Outcome::cleared:
      return "cleared by itself, nothing was changed";
  }
  return why;
}

std::string said_of(const IncidentRecord& incident, std::string_view event, const std::string& text,
                    const std::string& action, bool switches) {
  const std::string doing = switches ? "rolling back" + way(incident) : "running " + action;
  if (event == "closed" && incident.outcome) return ended(incident, *incident.outcome, action);
  if (event == "fired") return named(*leading_rule(incident)) + " fires: " + text;
  if (event == "joined") return named(incident.rules.back()) + " fires too";
  if (event == "by_hand") return (switches ? "rollback by hand" + way(incident) : action + " by hand");
  if (event == "action_started") return doing + cause_of(incident);
  if (event == "asked") {
    return "approve " + (switches ? "the rollback" + way(incident) : action) + "?" + cause_of(incident);
  }
  if (event == "switched") return "switched" + way(incident) + cause_of(incident);
  if (event == "verifying") {
    return "verifying " +
           (switches && !incident.to.empty() ? named(incident.to, incident.to_label)
                                             : "whether " + action + " helped") +
           cause_of(incident);
  }
  return text + cause_of(incident);
}

}  // namespace

std::string evidence_of(const JoinedRule& joined) {
  for (const Comparison& one : joined.evidence) {
    if (one.verdict != Verdict::bad || !one.value.value) continue;
    std::string out = one.text + ", it is " + in_unit(*one.value.value, one.unit);
    if (one.value.errors > 0) out += " (" + told(one.value.errors) + " of " + told(one.value.count) + ")";
    return out;
  }
  return joined.rule.text;
}

std::string named(const Revision& revision, const std::string& label) {
  if (label.empty() || label == revision.text) return revision.text;
  return label + " (" + revision.text.substr(0, short_length) + ")";
}

std::string with_short_commits(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    out += is_commit(word) ? word.substr(0, short_length) : word;
    if (end < text.size()) out += text[end++];
    at = end;
  }
  return out;
}

std::string title_of(const IncidentRecord& incident, std::string_view event, const std::string& text,
                     const std::string& action, bool switches) {
  const std::string said = said_of(incident, event, text, action, switches);
  return with_short_commits(incident.service.text + ": " + said.substr(0, said.find('\n')));
}

}  // namespace rules
