#include "rules/engine/incident/later.hpp"

#include <algorithm>
#include <utility>

#include "rules/conditions/unit.hpp"
#include "rules/engine/titles.hpp"
#include "rules/engine/told.hpp"
#include "rules/incidents/story.hpp"

namespace rules {

namespace {

// While what is due cannot be measured.
constexpr Duration look_again_after = std::chrono::seconds(10);

bool waits(const LaterCheck& check) { return check.end == LaterEnd::waits; }

bool has_waiting(const IncidentRecord& incident) {
  return std::any_of(incident.later.begin(), incident.later.end(), waits);
}

std::string what(const LaterCheck& check) { return check.when.empty() ? check.text : check.when; }

std::string said_of(const LaterCheck& check, const std::string& detail) {
  const std::string because = detail.empty() ? "" : ": " + detail;
  switch (check.end) {
    case LaterEnd::waits:
      return "";
    case LaterEnd::holds:
      return check.when + " holds";
    case LaterEnd::does_not_hold:
      return check.when + " does not hold" + because;
    case LaterEnd::unknown:
      return "whether " + check.when + " holds cannot be measured" + because;
    case LaterEnd::reminded:
      return "to be done by now: " + check.text;
    case LaterEnd::not_looked_at:
      return what(check) + " is not looked at any more" + because;
  }
  return "";
}

// The number that decided, for people.
std::string measured(const Judgement& judgement) {
  if (judgement.decisive >= judgement.comparisons.size()) return "";
  const Comparison& decisive = judgement.comparisons[judgement.decisive];
  if (!decisive.value.value) return "";
  return decisive.text + ", it is " + in_unit(*decisive.value.value, decisive.unit);
}

// That something cannot be measured is no reason to wake anybody.
void tell(Effects& effects, const IncidentRecord& incident, const LaterCheck& check, const std::string& detail) {
  Tell message;
  message.stage = check.end == LaterEnd::does_not_hold ? Stage::failed : Stage::completed;
  if (!check.notify.empty()) message.notifier = check.notify;
  message.is_news = true;
  message.context.service = incident.service;
  message.context.incident = incident.id;
  message.context.severity = incident.severity;
  message.context.from = incident.from;
  message.context.to = incident.to;
  message.context.reason = incident.reason;
  if (const JoinedRule* leading = leading_rule(incident)) message.context.rule = leading->rule;
  message.outcome = incident.outcome;
  // Who is told only after a while has to know of what did not last, and of nothing else.
  if (check.end == LaterEnd::does_not_hold) message.opened = incident.opened;
  const std::string said = told(Duration(check.after_ns)) + " after it recovered: " + said_of(check, detail);
  message.title = with_short_commits(incident.service.text + ": " + said);
  message.text = said + (check.end == LaterEnd::holds ? "." : ". Nothing is done about it by itself.");
  if (!check.when.empty() && !check.text.empty())
    message.text +=
        (check.end == LaterEnd::not_looked_at ? "\nUntil then was to be done: " : "\nTo be done by now: ") + check.text;
  message.text += "\nIncident: " + incident.id.text;
  message.at = effects.now();
  effects.emit(std::move(message));
}

void end(Effects& effects, IncidentRecord& incident, LaterCheck& check, LaterEnd how, const std::string& detail) {
  check.end = how;
  check.ended = effects.now();
  incident.timeline.push_back({effects.now(), std::string(story::later), said_of(check, detail)});
  effects.save(incident);
  effects.note("later", {{"incident", incident.id.text},
                         {"after", told(Duration(check.after_ns))},
                         {"what", what(check)},
                         {"end", std::string(to_string(check.end))},
                         {"why", detail}});
  tell(effects, incident, check, detail);
  effects.emit(WriteReport{incident.id});
}

}  // namespace

void give_up_later(Effects& effects, IncidentRecord& incident, const std::string& why) {
  for (LaterCheck& check : incident.later) {
    if (waits(check)) end(effects, incident, check, LaterEnd::not_looked_at, why);
  }
}

void LaterChecks::expect(const IncidentId& incident) {
  expected_ = incident;
  doors_.save();
}

void LaterChecks::take(const IncidentRecord& closed) {
  expected_.reset();
  if (has_waiting(closed)) ended_.push_back(closed);
}

void LaterChecks::restore(IncidentRecord closed) {
  began_ = now();
  // The clock may have been set back over the restart. Saved, or each start would put it off once more.
  bool is_moved = false;
  for (LaterCheck& check : closed.later) {
    const Instant latest = now() + Duration(check.after_ns);
    is_moved = is_moved || check.due > latest;
    check.due = std::min(check.due, latest);
  }
  if (is_moved) doors_.effects.save(closed);
  if (has_waiting(closed)) ended_.push_back(std::move(closed));
}

void LaterChecks::look() {
  bool changed = false;
  for (IncidentRecord& incident : ended_) {
    for (LaterCheck& check : incident.later) {
      if (!waits(check)) continue;
      const Seen seen = see(incident, check);
      if (seen.end == LaterEnd::waits) continue;
      end(doors_.effects, incident, check, seen.end, seen.detail);
      changed = true;
    }
  }
  if (!changed) return;
  std::erase_if(ended_, [](const IncidentRecord& incident) { return !has_waiting(incident); });
  doors_.save();
}

void LaterChecks::give_up(const std::string& why) {
  if (ended_.empty()) return;
  for (IncidentRecord& incident : ended_) give_up_later(doors_.effects, incident, why);
  ended_.clear();
  doors_.save();
}

bool LaterChecks::is_overtaken(const LaterCheck& check) const {
  const Revision& running = doors_.revisions.running();
  return !running.empty() && running != check.revision;
}

LaterChecks::Seen LaterChecks::see(const IncidentRecord& incident, const LaterCheck& check) const {
  if (is_overtaken(check)) return {LaterEnd::not_looked_at, "another release runs"};
  if (now() < check.due) return {};
  if (check.when.empty()) return {LaterEnd::reminded, ""};
  const Condition* condition = condition_of(check);
  if (condition == nullptr) return {LaterEnd::not_looked_at, "the configuration does not have it any more"};
  const Judgement judged = doors_.evidence.judge_with(*condition, incident.before);
  if (judged.verdict == Verdict::bad) return {LaterEnd::holds, measured(judged)};
  if (judged.verdict == Verdict::good) return {LaterEnd::does_not_hold, measured(judged)};
  // What starts may be measured soon.
  if (now() < std::max(check.due, began_) + doors_.service.start_deadline) return {};
  return {LaterEnd::unknown,
          std::string(to_string(judged.cause)) + (judged.detail.empty() ? "" : ", " + judged.detail)};
}

const Condition* LaterChecks::condition_of(const LaterCheck& check) const {
  for (const ActionSpec& action : doors_.config.actions) {
    if (action.name != check.action) continue;
    for (const LaterSpec& later : action.later) {
      if (later.when && later.when->text() == check.when) return &*later.when;
    }
  }
  return nullptr;
}

std::vector<IncidentId> LaterChecks::incidents() const {
  std::vector<IncidentId> out;
  for (const IncidentRecord& incident : ended_) out.push_back(incident.id);
  if (expected_) out.push_back(*expected_);
  return out;
}

std::vector<LaterView> LaterChecks::waiting() const {
  std::vector<LaterView> out;
  for (const IncidentRecord& incident : ended_) {
    for (const LaterCheck& check : incident.later) {
      if (waits(check)) out.push_back({incident.id, check});
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const LaterView& a, const LaterView& b) { return a.check.due < b.check.due; });
  return out;
}

void LaterChecks::add_deadlines(std::vector<Instant>& out) const {
  for (const IncidentRecord& incident : ended_) {
    for (const LaterCheck& check : incident.later) {
      if (waits(check)) out.push_back(check.due > now() ? check.due : now() + look_again_after);
    }
  }
}

std::string to_be_done_later(const IncidentRecord& incident) {
  std::string out = "Nothing is left to do at once.";
  for (const LaterCheck& check : incident.later) {
    const std::string in = " In " + told(Duration(check.after_ns));
    if (check.when.empty()) {
      out += in + " people are reminded of: " + check.text + ".";
    } else {
      out += in + " it is looked at whether " + check.when + ".";
      if (!check.text.empty()) out += " Until then: " + check.text + (check.text.ends_with('.') ? "" : ".");
    }
  }
  return out;
}

}  // namespace rules
