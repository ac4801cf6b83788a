#include "rules/engine/incident/later.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

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
      return check.when + " holds" + because;
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

std::string measured(const Comparison& one) {
  if (one.left_out) return one.text + " is left out, " + std::string(to_string(one.value.cause));
  if (one.value.value) return one.text + ", it is " + in_unit(*one.value.value, one.unit);
  return one.text + ", which is not known: " + std::string(to_string(one.value.cause));
}

// Every target with its number, for people. What a baseline that is not there leaves out is left out here, too.
std::string measured(const Judgement& judgement) {
  std::string out;
  for (const Comparison& one : judgement.comparisons) out += (out.empty() ? "" : "; ") + measured(one);
  return out;
}

struct Ended {
  LaterCheck* check = nullptr;
  std::string detail;  // for people
};

// "1 of 3 targets does not hold: p95 < 300ms"; of the only one what is said of it.
std::string said_of(const std::vector<Ended>& ended) {
  if (ended.size() == 1) return said_of(*ended.front().check, ended.front().detail);
  const auto with = [&](LaterEnd how) {
    return std::count_if(ended.begin(), ended.end(), [&](const Ended& one) { return one.check->end == how; });
  };
  const auto bad = with(LaterEnd::does_not_hold);
  const auto hold = with(LaterEnd::holds);
  const auto targets = bad + hold + with(LaterEnd::unknown);
  const std::string all = std::to_string(targets) + " targets";
  if (with(LaterEnd::not_looked_at) > 0) {
    return std::to_string(ended.size()) + " things are not looked at any more: " + ended.front().detail;
  }
  if (targets == 0) return std::to_string(ended.size()) + " things are to be done by now";
  if (bad > 1) return std::to_string(bad) + " of " + all + " do not hold";
  if (hold == targets) return "all " + all + " hold";
  if (bad == 0) return std::to_string(hold) + " of " + all + " hold, the others cannot be measured";
  const auto first = std::find_if(ended.begin(), ended.end(),
                                  [](const Ended& one) { return one.check->end == LaterEnd::does_not_hold; });
  return "1 of " + all + " does not hold: " + first->check->when;
}

std::string to_be_done(const LaterCheck& check) {
  if (check.when.empty() || check.text.empty()) return "";
  return (check.end == LaterEnd::not_looked_at ? "\nUntil then was to be done: " : "\nTo be done by now: ") +
         check.text;
}

std::string text_of(const std::vector<Ended>& ended, const std::string& said, bool all_hold) {
  std::string text = said + (all_hold ? "." : ". Nothing is done about it by itself.");
  for (const Ended& one : ended) {
    if (ended.size() > 1) text += "\n- " + said_of(*one.check, one.detail);
    text += to_be_done(*one.check);
  }
  return text;
}

// What is due at the same time is one message. That something cannot be measured is no reason to wake anybody.
void tell(Effects& effects, const IncidentRecord& incident, const std::vector<Ended>& ended) {
  const auto is = [](LaterEnd how) { return [how](const Ended& one) { return one.check->end == how; }; };
  const bool any_bad = std::any_of(ended.begin(), ended.end(), is(LaterEnd::does_not_hold));
  const LaterCheck& first = *ended.front().check;
  Tell message;
  message.stage = any_bad ? Stage::failed : Stage::completed;
  if (!first.notify.empty()) message.notifier = first.notify;
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
  if (any_bad) message.opened = incident.opened;
  const std::string said = told(Duration(first.after_ns)) + " after it recovered: " + said_of(ended);
  message.title = with_short_commits(incident.service.text + ": " + said);
  message.text = text_of(ended, said, std::all_of(ended.begin(), ended.end(), is(LaterEnd::holds)));
  message.text += "\nIncident: " + incident.id.text;
  message.at = effects.now();
  effects.emit(std::move(message));
}

void end(Effects& effects, IncidentRecord& incident, LaterCheck& check, LaterEnd how, const std::string& detail) {
  check.end = how;
  check.ended = effects.now();
  incident.timeline.push_back({effects.now(), std::string(story::later), said_of(check, detail)});
  effects.note("later", {{"incident", incident.id.text},
                         {"after", told(Duration(check.after_ns))},
                         {"what", what(check)},
                         {"end", std::string(to_string(check.end))},
                         {"why", detail}});
}

void tell_all(Effects& effects, const IncidentRecord& incident, std::vector<Ended> ended) {
  effects.save(incident);
  const auto goes_with = [](const Ended& a, const Ended& b) {
    return a.check->after_ns == b.check->after_ns && a.check->notify == b.check->notify;
  };
  while (!ended.empty()) {
    const Ended first = ended.front();
    const auto rest =
        std::stable_partition(ended.begin(), ended.end(), [&](const Ended& one) { return goes_with(first, one); });
    tell(effects, incident, {ended.begin(), rest});
    ended.erase(ended.begin(), rest);
  }
  effects.emit(WriteReport{incident.id});
}

}  // namespace

void give_up_later(Effects& effects, IncidentRecord& incident, const std::string& why) {
  std::vector<Ended> ended;
  for (LaterCheck& check : incident.later) {
    if (!waits(check)) continue;
    end(effects, incident, check, LaterEnd::not_looked_at, why);
    ended.push_back({&check, why});
  }
  if (!ended.empty()) tell_all(effects, incident, std::move(ended));
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
  for (IncidentRecord& incident : ended_) changed = look(incident) || changed;
  if (!changed) return;
  std::erase_if(ended_, [](const IncidentRecord& incident) { return !has_waiting(incident); });
  doors_.save();
}

// What is due at the same time ends together, when all of it can be seen.
bool LaterChecks::look(IncidentRecord& incident) {
  std::vector<std::pair<LaterCheck*, Seen>> seen;
  std::set<std::int64_t> unseen;  // the times of those of which something cannot be seen yet
  for (LaterCheck& check : incident.later) {
    if (!waits(check)) continue;
    seen.emplace_back(&check, see(incident, check));
    if (seen.back().second.end == LaterEnd::waits) unseen.insert(check.after_ns);
  }
  std::vector<Ended> ended;
  for (const auto& [check, how] : seen) {
    if (unseen.contains(check->after_ns)) continue;
    end(doors_.effects, incident, *check, how.end, how.detail);
    ended.push_back({check, how.detail});
  }
  if (ended.empty()) return false;
  tell_all(doors_.effects, incident, std::move(ended));
  return true;
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
      out += in + " people are reminded of: " + check.text + (check.text.ends_with('.') ? "" : ".");
    } else {
      out += in + " it is looked at whether " + check.when + ".";
      if (!check.text.empty()) out += " Until then: " + check.text + (check.text.ends_with('.') ? "" : ".");
    }
  }
  return out;
}

}  // namespace rules
