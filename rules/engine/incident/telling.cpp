#include <algorithm>
#include <array>

#include "rules/engine/incident/incident.hpp"
#include "rules/engine/incident/outcomes.hpp"
#include "rules/engine/incident/summary.hpp"
#include "rules/engine/titles.hpp"
#include "rules/engine/told.hpp"

// What is kept and told of an incident.

namespace rules {

namespace {

// Lines of an incident's story that are kept; a plan that goes round in circles must not grow it for ever.
constexpr std::size_t timeline_max = 1000;

constexpr std::ptrdiff_t before_the_end = 3;  // messages of its story, which are four at most

// Here its id is whole: titles have the beginning.
std::string whole(const Revision& revision, const std::string& label) {
  return label.empty() || label == revision.text ? revision.text : label + " (" + revision.text + ")";
}

}  // namespace

StepContext Incident::context() const { return context_of(record_, in_.evidence, in_.revisions); }

void Incident::save() {
  if (record_.from_label.empty()) record_.from_label = in_.revisions.label_of(record_.from);
  record_.to_label = in_.revisions.label_of(record_.to);
  in_.effects.save(record_);
}

void Incident::story(std::string_view event, const std::string& text) {
  if (record_.timeline.size() < timeline_max) record_.timeline.push_back({now(), std::string(event), text});
  save();
}

void Incident::tell(Stage stage, std::string_view event, const std::string& text) {
  story(event, text);
  announce(stage, event, text);
}

// `more`: what is said besides. `said_by`: how people may have heard of it.
void Incident::announce(Stage stage, std::string_view event, const std::string& text, const std::string& more,
                        std::vector<SaidBy> said_by) {
  Tell out = message(record_, stage, event, text);
  out.said_by = std::move(said_by);
  out.text = text;
  if (!more.empty()) out.text += "\n" + more;
  const bool is_course = stage == Stage::progress || stage == Stage::late;
  if (is_course && out.progress) out.text += "\nHow far it is: " + told(*out.progress) + ".";
  if (is_course && out.progress && out.progress->percent)
    out.title += ", " + std::to_string(*out.progress->percent) + " % done";
  if (!out.explanation.text.empty()) out.text += "\n" + out.explanation.text;
  out.text += facts();
  if (stage == Stage::ask) {
    out.text += "\nYes: rollbackd approve " + record_.id.text + "\nNo: rollbackd abort " + record_.id.text;
  }
  out.text += "\nIncident: " + record_.id.text;
  in_.effects.emit(std::move(out));
  in_.effects.emit(WriteReport{record_.id});
}

// But for its text.
Tell Incident::message(const IncidentRecord& said_of, Stage stage, std::string_view event,
                       const std::string& text) const {
  Tell out;
  out.stage = stage;
  out.context = context();
  foresee_target(out.context);
  out.outcome = said_of.outcome;
  const ActionSpec* action = plan();
  const std::string name = action == nullptr ? "the action" : action->name.text;
  out.title = title_of(said_of, event, text, name, action != nullptr && action->switches());
  out.explanation = record_.explanation;
  out.opened = record_.opened;
  if (!said_of.outcome) out.expected = usual_length();
  if (!said_of.outcome) out.progress = progress(now());
  if (const JoinedRule* leading = leading_rule(record_)) {
    // When it is over what counts is what is so by then.
    const WatchedRule* rule = record_.closed ? in_.evidence.find(leading->rule) : nullptr;
    out.evidence = rule == nullptr ? leading->evidence : rule->when().comparisons;
  }
  out.at = now();
  return out;
}

// Before it is chosen: where it would go now.
void Incident::foresee_target(StepContext& said) const {
  const ActionSpec* action = plan();
  const SwitchStep* step = action == nullptr ? nullptr : action->switch_step();
  if (!said.to.empty() || step == nullptr || record_.switched) return;
  said.to = target(*step).revision.value_or(Revision());
  if (const LedgerRecord* to = in_.revisions.find(said.to)) said.schema_to = to->schema;
  said.to_label = in_.revisions.label_of(said.to);
}

// Where it stands, for who joins late and for those who are told again.
Situation Incident::situation(Instant at) const {
  const std::optional<Progress> far = progress(at);
  Situation out = situation_of(record_, plan(), in_.evidence, in_.revisions, by_hand(), at, "", far);
  out.message.expected = usual_length();
  return out;
}

std::string Incident::facts() const {
  std::string text;
  if (!record_.from.empty()) text += "\nRan when it began: " + whole(record_.from, record_.from_label);
  if (in_.revisions.is_presumed(record_.from)) {
    text += ", as was said of its deployment; what ran could not be read";
  }
  if (!record_.to.empty()) text += "\nTarget: " + whole(record_.to, record_.to_label);
  return text;
}

// Where it was done before.
std::string Incident::takes() const {
  const std::optional<Duration> usual = usual_length();
  if (!usual) return "";
  return "; that usually takes " + about(*usual) +
         (plan()->switches() ? ", and then it is verified" : ", and then it is seen whether it helped");
}

// A line of the story that is full cannot be told from one that was told.
bool Incident::has_said(std::string_view event, std::string_view text) const {
  return record_.timeline.size() >= timeline_max ||
         std::any_of(record_.timeline.begin(), record_.timeline.end(), [&](const TimelineEntry& line) {
           return line.event == event && (text.empty() || line.text == text);
         });
}

// A question, or an answer to one, said otherwise meanwhile: whoever was asked, or answered, has to hear it again.
bool Incident::has_said_since(std::string_view since, std::string_view event, std::string_view text) const {
  const auto& lines = record_.timeline;
  const auto asked =
      std::find_if(lines.rbegin(), lines.rend(), [&](const TimelineEntry& line) { return line.event == since; });
  return lines.size() >= timeline_max || std::any_of(lines.rbegin(), asked, [&](const TimelineEntry& line) {
           return line.event == event && (text.empty() || line.text == text);
         });
}

// The last that people heard is that nothing is done, or a question that nobody has to answer any more.
bool Incident::was_told_of_nothing() const {
  const auto& lines = record_.timeline;
  const auto last = std::find_if(lines.rbegin(), lines.rend(), [](const TimelineEntry& line) {
    return line.event == "telling" || line.event == "asked" || line.event == "approved" || line.event == "held" ||
           line.event == "question_withdrawn";
  });
  return last != lines.rend() && (last->event == "telling" || last->event == "asked");
}

// Messages of its story, before its end.
std::ptrdiff_t Incident::told_so_far() const {
  constexpr std::array told_of{
      "fired",        "by_hand", "held", "telling", "asked", "fired_meanwhile", "question_withdrawn",
      "takes_longer", "unseen"};
  const auto is_told = [&](const TimelineEntry& line) {
    // What follows stands in the message that it fires, and what was said before is said again to nobody.
    const bool is_in_opening = line.at == record_.opened && (line.event == "held" || line.event == "telling");
    const auto first = std::find_if(record_.timeline.begin(), record_.timeline.end(), [&](const TimelineEntry& other) {
      return other.event == line.event && other.text == line.text;
    });
    const bool is_news = &*first == &line;
    return is_news && !is_in_opening && std::find(told_of.begin(), told_of.end(), line.event) != told_of.end();
  };
  std::ptrdiff_t count = std::count_if(record_.timeline.begin(), record_.timeline.end(), is_told);
  // So is that it got worse, where what is waited for or asked then does not say it.
  Severity worst = Severity::p3;
  for (const JoinedRule& joined : record_.rules) {
    const bool is_worse = joined.severity < worst && joined.joined != record_.opened;
    worst = std::min(worst, joined.severity);
    const bool is_said_so = std::any_of(record_.timeline.begin(), record_.timeline.end(),
                                        [&](const auto& line) { return line.at == joined.joined && is_told(line); });
    if (is_worse && !is_said_so) ++count;
  }
  return count;
}

// What is news but must not be told at any price: the story is four messages at most, and one of them is its end.
Stage Incident::late_once(std::string_view event, const std::string& text) const {
  return told_so_far() < before_the_end && !has_said(event, text) ? Stage::late : Stage::progress;
}

// A rule that just joined is one more than there may be for those who heard of the others.
std::vector<SaidBy> Incident::said_at_most(Severity heard_as) const {
  if (told_so_far() <= before_the_end) return {};
  return {{Stage::started, heard_as}};
}

// Where a step has no words of its own it says where things stand: what the stage's message says. Between two rungs
// there is no such message.
void Incident::send_notice(const NotifyStep& step) {
  const bool has_words = step.explanation != Explanation();
  IncidentRecord stands = record_;
  stands.outcome = record_.pending_outcome;
  const bool is_begun = record_.section == PlanSection::steps;
  const bool is_over = !is_begun && stands.outcome;
  Stage stage = Stage::progress;
  if (!has_words && is_begun) stage = Stage::started;
  if (!has_words && is_over) stage = stage_of(*stands.outcome);
  const std::string stands_at = is_over ? record_.outcome_detail : "it did not help";
  Tell out = message(stands, stage, is_over ? "closed" : is_begun ? "action_started" : "rung_over", stands_at);
  out.notifier = step.notifier;
  out.explanation = step.explanation.or_else(record_.explanation);
  out.text = step.explanation.text.empty() ? (is_begun ? reason() : stands_at) : step.explanation.text;
  out.text += facts() + "\nIncident: " + record_.id.text;
  in_.effects.emit(std::move(out));
  end_step({StepStatus::succeeded, std::nullopt, "", "", 0});
}

// What it is done for.
std::string Incident::reason() const {
  if (record_.rules.empty()) return record_.reason.empty() ? "asked for by hand" : record_.reason;
  const JoinedRule& leading = *leading_rule(record_);
  return evidence_of(leading) + " for " + told(Duration(leading.bad_ns));
}

void Incident::add_deadlines(std::vector<Instant>& out) const {
  if (record_.deadline) out.push_back(*record_.deadline);
  if (record_.deadline && record_.phase == IncidentPhase::verifying) {
    out.push_back(*record_.deadline + identity_wait_max);
    out.push_back(record_.phase_since + lock_kept_max);
  }
  if (intent_retry_at_) out.push_back(*intent_retry_at_);
  if (hold_until_) out.push_back(*hold_until_);
  if (record_.unseen_since) {
    out.push_back(*record_.unseen_since + blind_for());
    out.push_back(*record_.unseen_since + unseen_max(blind_for()));
  }
  if (const std::optional<Instant> late = late_at()) out.push_back(*late);
  lock_.add_deadlines(in_.service.deploy_timeout, out);
  look_.add_deadlines(out);
  verification().add_deadlines(out);
}

}  // namespace rules
