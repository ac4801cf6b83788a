#include <algorithm>
#include <string>

#include "rules/engine/commands.hpp"
#include "rules/incidents/story.hpp"
#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/report.hpp"
#include "watcher/report/story.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/times.hpp"

namespace watcher {

namespace {

constexpr std::size_t excerpt_lines_max = 20;  // the end of an output says what went wrong
constexpr std::size_t excerpt_bytes_max = 4000;
constexpr std::size_t timeline_max = 200;  // lines: first and last of more

std::string cell(std::string_view text) { return markdown_code(text, Place::table); }

std::string row(std::initializer_list<std::string> cells) {
  std::string line = "|";
  for (const std::string& each : cells) line += " " + each + " |";
  return line + "\n";
}

std::string title(const rules::IncidentRecord& incident) {
  const rules::JoinedRule* rule = rules::leading_rule(incident);
  const std::string cause = rule == nullptr ? "by hand" : markdown_text(rule->rule.text);
  return "# " + markdown_text(incident.service.text) + ": " + markdown_text(outcome_name(incident)) + " · " + cause +
         (incident.rules.empty() ? "" : " (" + std::string(rules::to_string(incident.severity)) + ")") + "\n\n";
}

// What the configuration says of it to people.
std::string explanation(const rules::Explanation& said) {
  std::string text;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += std::string("- ") + name + markdown_text(value) + "\n";
  };
  add("", said.text);
  add("Impact: ", said.impact);
  add("Runbook: ", said.runbook);
  add("Status page: ", said.status_page);
  return text.empty() ? "" : text + "\n";
}

std::string to_do(const ReportInput& input) {
  std::string text = "## What is left to do\n\n";
  for (const std::string& thing : left_to_do(input)) text += "- " + thing + "\n";
  // Notes name commands to be copied: they stand as they are.
  for (const std::string& note : input.notes) {
    if (!note.empty()) text += "\n" + markdown_block(note, "");
  }
  return text + "\n";
}

std::string value_text(const rules::Comparison& comparison) {
  if (comparison.left_out) return "left out: no baseline";
  if (!comparison.value.value) return "unknown: " + enumerator_name(comparison.value.cause);
  return (comparison.value.approximate ? "≈ " : "") + number_text(*comparison.value.value, comparison.unit);
}

// "31 of 385 in 5s": how many the value comes from.
std::string requests_text(const rules::Measured& value) {
  if (value.count <= 0) return "–";
  const std::string in = value.window > rules::Duration::zero() ? " in " + duration_text(value.window) : "";
  if (value.errors > 0) return number_text(value.errors) + " of " + number_text(value.count) + in;
  return number_text(value.count) + in;
}

std::string evidence_rows(const rules::JoinedRule& rule) {
  const std::string sustain = duration_text(rules::Duration(rule.for_ns));
  const std::string bad =
      rule.bad_ns > 0 ? duration_text(rules::Duration(rule.bad_ns)) + " (needs " + sustain + ")" : "needs " + sustain;
  std::string text;
  bool first = true;
  for (const rules::Comparison& comparison : rule.evidence) {
    const std::string threshold = comparison.threshold ? number_text(*comparison.threshold, comparison.unit) : "–";
    text += row({first ? cell(rule.rule.text) : "", cell(comparison.text), value_text(comparison), threshold,
                 enumerator_name(comparison.verdict), first ? bad : "", first ? std::to_string(rule.samples) : "",
                 requests_text(comparison.value)});
    first = false;
  }
  if (first) text += row({cell(rule.rule.text), "–", "–", "–", "–", bad, std::to_string(rule.samples), "–"});
  return text;
}

std::string evidence(const rules::IncidentRecord& incident) {
  if (incident.rules.empty()) return "";
  std::string text = "## Evidence\n\nAs it was when each rule fired.\n\n";
  text += row({"rule", "condition", "value", "threshold", "verdict", "bad for", "bad samples", "requests"});
  text += "|---|---|--:|--:|---|---|--:|--:|\n";
  std::string details;
  for (const rules::JoinedRule& rule : incident.rules) {
    text += evidence_rows(rule);
    for (const rules::Comparison& comparison : rule.evidence) {
      if (comparison.value.detail.empty()) continue;
      details += "- " + markdown_code(comparison.text, Place::paragraph) + ": " +
                 markdown_code(comparison.value.detail, Place::paragraph) + "\n";
    }
  }
  return text + (details.empty() ? "" : "\n" + details) + "\n";
}

std::string excerpt(const std::string& output) {
  std::size_t begin = output.size() > excerpt_bytes_max ? output.size() - excerpt_bytes_max : 0;
  std::size_t line = output.size();
  for (std::size_t lines = 0; lines <= excerpt_lines_max && line != std::string::npos && line > 0; ++lines) {
    line = output.rfind('\n', line - 1);
    if (lines == excerpt_lines_max && line != std::string::npos) begin = std::max(begin, line + 1);
  }
  return output.substr(begin);
}

// What follows the first line of a detail names commands to be copied: it stands as it is.
std::string more_detail(const std::string& rest) {
  const std::size_t begin = rest.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return "\n" + markdown_block(rest.substr(begin, rest.find_last_not_of(" \t\r\n") - begin + 1), "   ");
}

std::string step_line(const rules::StepRecord& step, std::size_t number) {
  std::string text = std::to_string(number) + ". " +
                     markdown_code(step.text.empty() ? step.kind : step.text, Place::paragraph) + ": **" +
                     enumerator_name(step.status) + "**";
  if (step.id.attempt > 0) text += ", attempt " + std::to_string(step.id.attempt + 1);
  if (step.exit_code) text += (step.kind == "http" ? ", status " : ", exit code ") + std::to_string(*step.exit_code);
  text += ", began " + utc_text(step.started).substr(11);
  if (step.ended) text += ", took " + duration_text(*step.ended - step.started);
  const std::string_view line = first_line(step.detail);
  if (!line.empty()) text += "; " + markdown_text(line);
  return text + "\n" + more_detail(step.detail.substr(line.size()));
}

std::string step_output(const rules::StepRecord& step) {
  if (step.output.find_first_not_of(" \t\r\n") == std::string::npos) return "";
  const std::string shown = excerpt(step.output);
  const std::int64_t left_out = static_cast<std::int64_t>(step.output.size() - shown.size()) + step.output_dropped;
  std::string text = "\n";
  if (left_out > 0)
    text += "   The end of it; " + std::to_string(left_out) +
            " bytes before it are left out here; `decision.json` has what was kept.\n\n";
  return text + markdown_block(shown, "   ") + "\n";
}

std::string section_title(const rules::IncidentRecord& incident, const rules::StepId& id) {
  const std::string action =
      id.rung < incident.ladder.size() ? incident.ladder[id.rung].text : "rung " + std::to_string(id.rung + 1);
  return "### " + markdown_text(action) +
         (id.section == rules::PlanSection::steps ? "" : ", " + markdown_text(enumerator_name(id.section))) + "\n\n";
}

std::string deeds(const ReportInput& input) {
  std::string text = "## What was done\n\n";
  const rules::StepRecord* before = nullptr;
  std::size_t number = 0;
  for (const rules::StepRecord& step : input.steps) {
    if (step.id.step == rules::lock_step) continue;
    const bool same = before != nullptr && before->id.rung == step.id.rung && before->id.section == step.id.section;
    if (!same) {
      text += (before == nullptr ? "" : "\n") + section_title(input.incident, step.id);
      number = 0;
    }
    text += step_line(step, ++number) + step_output(step);
    before = &step;
  }
  return text + (before == nullptr ? "No step was run.\n\n" : "\n");
}

std::string revision_row(const ReportInput& input, const std::string& role, const rules::Revision& revision) {
  if (revision.empty()) return row({role, "–", "–", "–", "–"});
  const rules::LedgerRecord* entry = ledger_entry(input, revision);
  if (entry == nullptr) return row({role, cell(revision.text), "unknown", "–", "–"});
  const std::string standing =
      entry->standing == rules::Standing::bad ? "bad (quarantined)" : enumerator_name(entry->standing);
  return row({role, cell(revision.text), standing, utc_text(entry->appeared), cell(entry->schema)});
}

std::string revisions(const ReportInput& input) {
  if (input.incident.from.empty() && input.incident.to.empty()) return "";
  return "## Revisions\n\n" + row({"", "revision", "standing now", "appeared (UTC)", "schema"}) +
         "|---|---|---|---|---|\n" + revision_row(input, "from", input.incident.from) +
         revision_row(input, "to", input.incident.to) + "\n";
}

bool is_about_verifying(const rules::TimelineEntry& entry) {
  using namespace rules::story;
  for (const std::string_view event : {settling, verifying, rung_over, next_rung, decided}) {
    if (entry.event == event) return true;
  }
  return false;
}

// What came to its end without a look at whether it helped has nothing to tell here.
bool was_looked_at(const rules::IncidentRecord& incident) {
  return std::any_of(incident.timeline.begin(), incident.timeline.end(), [](const rules::TimelineEntry& entry) {
    return entry.event == rules::story::settling || entry.event == rules::story::verifying;
  });
}

std::string verification(const rules::IncidentRecord& incident) {
  if (!incident.past_no_return || !was_looked_at(incident)) return "";
  std::string text = "## Verification\n\n";
  if (incident.outcome) {
    const std::string meaning = outcome_meaning(incident);
    text += "**" + enumerator_name(*incident.outcome) + "**: " + meaning;
    if (!incident.outcome_detail.empty()) text += ": " + markdown_text(first_line(incident.outcome_detail));
    text += ".\n";
  } else {
    text += "Not decided yet.\n";
  }
  std::string lines;
  for (const rules::TimelineEntry& entry : incident.timeline) {
    if (is_about_verifying(entry))
      lines += "- " + utc_text(entry.at).substr(11) + " " + markdown_text(first_line(entry.text)) + "\n";
  }
  return text + (lines.empty() ? "" : "\n" + lines) + "\n";
}

// What is looked at when it is over, and what was seen.
std::string later(const rules::IncidentRecord& incident) {
  if (incident.later.empty()) return "";
  std::string text =
      "## Looked at later (UTC)\n\n" + row({"when", "what", "until then", "seen"}) + "|---|---|---|---|\n";
  for (const rules::LaterCheck& check : incident.later) {
    std::string seen = "not yet";
    if (check.end != rules::LaterEnd::waits) seen = enumerator_name(check.end);
    if (check.ended) seen += " at " + utc_text(*check.ended);
    std::replace(seen.begin(), seen.end(), '_', ' ');
    text += row({utc_text(check.due), cell(check.when), check.text.empty() ? "–" : markdown_text(check.text), seen});
  }
  std::string lines;
  for (const rules::TimelineEntry& entry : incident.timeline) {
    if (entry.event == rules::story::later)
      lines += "- " + utc_text(entry.at) + " " + markdown_text(first_line(entry.text)) + "\n";
  }
  return text + (lines.empty() ? "" : "\n" + lines) + "\n";
}

std::string timeline(const rules::IncidentRecord& incident) {
  if (incident.timeline.empty()) return "";
  std::string text = "## Timeline (UTC)\n\n" + row({"time", "after", "event", ""}) + "|---|--:|---|---|\n";
  const std::size_t count = incident.timeline.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (count > timeline_max && i == timeline_max / 2) {
      text += row({"…", "", "", std::to_string(count - timeline_max) + " more"});
      i += count - timeline_max;
    }
    const rules::TimelineEntry& entry = incident.timeline[i];
    text += row({utc_text(entry.at), "+" + duration_text(entry.at - incident.opened), cell(entry.event),
                 markdown_text(first_line(entry.text))});
  }
  return text + "\n";
}

std::string files(const ReportInput& input) {
  if (input.evidence_files.empty()) return "";
  std::string text = "## Evidence files\n\n";
  for (const std::string& file : input.evidence_files)
    text += "- " + markdown_code("evidence/" + file, Place::paragraph) + "\n";
  return text + "\n";
}

std::string footer(const ReportInput& input) {
  const rules::IncidentRecord& incident = input.incident;
  std::string text = "---\n\nIncident " + markdown_code(incident.id.text, Place::paragraph) + ", opened " +
                     utc_text(incident.opened) + " UTC";
  if (incident.closed) text += ", closed " + utc_text(*incident.closed) + " UTC";
  if (!incident.approved_by.empty())
    text += (incident.by_hand ? ", asked for by " : ", approved by ") + markdown_text(incident.approved_by);
  return text + ". Written by rollbackd " + markdown_text(input.version) + " on " + markdown_text(input.watcher_name) +
         "; the same for programs: `decision.json`.\n";
}

}  // namespace

std::string report_markdown(const ReportInput& input) {
  return title(input.incident) + summary(input) + "\n\n" + explanation(input.incident.explanation) + to_do(input) +
         times_markdown(input.incident, input.steps) + evidence(input.incident) + deeds(input) +
         verification(input.incident) + later(input.incident) + revisions(input) + timeline(input.incident) +
         files(input) + footer(input);
}

}  // namespace watcher
