#include "rules/engine/evidence/blindness.hpp"

#include <algorithm>
#include <string>

#include "rules/engine/told.hpp"
#include "rules/sustain/sight.hpp"

namespace rules {

namespace {

std::string cause_of(const WatchedRule& rule) {
  const Judgement& seen = rule.when();
  return std::string(to_string(seen.cause)) + (seen.detail.empty() ? "" : ", " + seen.detail);
}

// errors, slow: stale, nothing came for 30s
std::vector<std::string> by_cause(const std::vector<const WatchedRule*>& rules) {
  std::vector<std::pair<std::string, std::string>> groups;  // cause, names; in the order of the rules
  for (const WatchedRule* rule : rules) {
    const std::string cause = cause_of(*rule);
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& one) { return one.first == cause; });
    if (same == groups.end()) {
      groups.emplace_back(cause, rule->name().text);
    } else {
      same->second += ", " + rule->name().text;
    }
  }
  std::vector<std::string> out;
  for (const auto& [cause, names] : groups) out.push_back(names + ": " + cause);
  return out;
}

// That somebody has to look himself is what it means.
std::string what_follows(const std::vector<const WatchedRule*>& unseen) {
  Duration shortest = blind_after(unseen.front()->spec());
  for (const WatchedRule* rule : unseen) shortest = std::min(shortest, blind_after(rule->spec()));
  return "Less than 60 % of the last " + told(shortest) + " could be observed: so " +
         (unseen.size() == 1 ? "it cannot" : "none of them can") + " fire, and nothing is done by itself meanwhile.";
}

}  // namespace

void Blindness::changed(const WatchedRule& rule) {
  is_changed_ = true;
  effects_.note(rule.is_blind() ? "blind" : "seeing",
                {{"rule", rule.name().text}, {"cause", std::string(to_string(rule.when().cause))}});
}

void Blindness::tell(const std::vector<const WatchedRule*>& rules, std::optional<Severity> flapping) {
  is_changed_ = false;
  std::vector<const WatchedRule*> unseen;
  bool any_blind = false;
  bool any_news = false;
  for (const WatchedRule* rule : rules) {
    any_blind = any_blind || rule->is_blind();
    any_news = any_news || (rule->is_blind() && !told_.contains(rule->name()));
    // What is unknown for such a cause is named with those that have been so for long enough.
    const bool goes_blind = rule->is(Verdict::unknown) && is_blindness(rule->when().cause);
    if ((rule->is_blind() || goes_blind) && !told_.contains(rule->name())) unseen.push_back(rule);
  }
  if (any_news) return tell_blind(unseen, flapping);
  if (any_blind || told_.empty() || rules.empty()) return;
  told_.clear();
  tell_seeing(rules);
  told_before_.clear();
}

// The faults of probes that explain the rule.
std::vector<SaidBy> Blindness::said_by(const WatchedRule& rule) const {
  std::vector<SaidBy> out;
  for (const ProbeName& probe : rule.when_probes()) {
    if (const std::optional<Severity> severity = faults_.told_as(probe)) out.push_back({Stage::fault, *severity});
  }
  if (told_.contains(rule.name())) out.push_back({Stage::blind, told_as_});
  return out;
}

// One that explains all of them; nothing: there is none.
std::vector<SaidBy> Blindness::fault_of_all(const std::vector<const WatchedRule*>& rules) const {
  for (const ProbeName& probe : rules.front()->when_probes()) {
    const std::optional<Severity> severity = faults_.told_as(probe);
    const bool explains = severity && std::all_of(rules.begin(), rules.end(), [&](const WatchedRule* rule) {
                            return rule->when_probes().contains(probe);
                          });
    if (explains) return {{Stage::fault, *severity}};
  }
  return {};
}

void Blindness::tell_blind(const std::vector<const WatchedRule*>& unseen, std::optional<Severity> flapping) {
  Tell tell;
  tell.said_by = fault_of_all(unseen);
  if (flapping) tell.said_by.push_back({Stage::fault, *flapping});
  if (told_.empty() || tell.said_by.empty()) told_before_ = tell.said_by;
  tell.stage = Stage::blind;
  tell.context.service = service_;
  tell.context.rule = unseen.front()->name();
  tell.context.severity = unseen.front()->spec().severity;
  std::string names;
  for (const WatchedRule* rule : unseen) {
    told_.insert(rule->name());
    names += (names.empty() ? "" : ", ") + rule->name().text;
    tell.context.severity = std::min(tell.context.severity, rule->spec().severity);
  }
  told_as_ = tell.context.severity;
  tell.title = service_.text + ": cannot be observed: rule" + (unseen.size() == 1 ? " " : "s ") + names;
  tell.text = what_follows(unseen);
  for (const std::string& line : by_cause(unseen)) tell.text += "\n" + line;
  tell.text += "\n`rollbackd check --online` asks its probes once and says what is wrong; if users are affected, " +
               std::string("`rollbackd rollback ") + service_.text + " --plan` shows what can be done by hand.";
  tell.at = effects_.now();
  tell.lasting.what = service_.text + " blind";
  effects_.emit(std::move(tell));
}

// What is unknown for another cause is not blind, but nobody should take it for seen.
void Blindness::tell_seeing(const std::vector<const WatchedRule*>& rules) {
  std::string unknown;
  for (const WatchedRule* rule : rules) {
    if (rule->is(Verdict::unknown))
      unknown += "\nStill unknown: " + rule->name().text + ": " + std::string(to_string(rule->when().cause));
  }
  Tell tell;
  tell.stage = Stage::seeing;
  tell.context.service = service_;
  tell.context.rule = rules.front()->name();
  tell.context.severity = told_as_;  // who heard of it hears of its end
  tell.title = service_.text + (unknown.empty() ? ": every rule can be observed again" : ": it can be observed again");
  tell.text = tell.title + unknown;
  tell.said_by = told_before_;
  tell.lasting = {service_.text + " blind", true};
  tell.at = effects_.now();
  effects_.emit(std::move(tell));
}

}  // namespace rules
