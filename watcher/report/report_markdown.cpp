#include <algorithm>
#include <string>

#include "rules/engine/commands.hpp"
#include "rules/incidents/story.hpp"
#include "rules/sustain/rule_spec.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/around_report.hpp"
#include "watcher/report/deeds_markdown.hpp"
#include "watcher/report/report.hpp"
#include "watcher/report/story.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/times.hpp"

namespace watcher {

namespace {

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

std::string revision_row(const ReportInput& input, const std::string& role, const rules::Revision& revision) {
  if (revision.empty()) return row({role, "–", "–", "–", "–"});
  const rules::LedgerRecord* entry = ledger_entry(input, revision);
  if (entry == nullptr) return row({role, cell(revision.text), "unknown", "–", "–"});
  const std::string standing =
      entry->standing == rules::Standing::bad ? "bad (quarantined)" : enumerator_name(entry->standing);
  const std::string label = entry->label.empty() ? "" : " " + cell(entry->label);
  return row({role, cell(revision.text) + label, standing, utc_text(entry->appeared), cell(entry->schema)});
}

// The commits between, or what the driver has in their place.
std::string taken_back(const ReportInput& input) {
  if (input.taken_back.empty()) return "";
  std::string text = input.incident.switched ? "Taken back by the switch:\n\n" : "Between them:\n\n";
  for (const std::string& line : input.taken_back) text += "- " + markdown_code(line, Place::paragraph) + "\n";
  return text + "\n";
}

std::string revisions(const ReportInput& input) {
  if (input.incident.from.empty() && input.incident.to.empty()) return "";
  return "## Revisions\n\n" + row({"", "revision", "standing now", "appeared (UTC)", "schema"}) +
         "|---|---|---|---|---|\n" + revision_row(input, "from", input.incident.from) +
         revision_row(input, "to", input.incident.to) + "\n" + taken_back(input);
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
  for (const ReportInput::EvidenceFile& file : input.evidence_files) {
    text += "- " + markdown_code("evidence/" + file.name, Place::paragraph) + ", " + std::to_string(file.bytes) +
            " bytes\n";
  }
  return text + "\n";
}

// What a review asks, to be answered by people: nothing here is known to a program.
std::string post_mortem(const rules::IncidentRecord& incident) {
  if (!incident.closed || !incident.past_no_return) return "";
  return "## For the post-mortem\n\n"
         "- Who noticed what, and what did it cost them?\n"
         "- What in the release caused it, and why did no test or review find it?\n"
         "- Was it noticed and rolled back soon enough? Which rule would have been sooner, which was too eager?\n"
         "- What went well, where were we lucky?\n"
         "- What is changed so that it does not come again: who does it, until when?\n\n";
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

ReportParts report_parts(const ReportInput& input) {
  const rules::IncidentRecord& incident = input.incident;
  return {title(incident) + summary(input) + "\n\n" + explanation(incident.explanation) + to_do(input) +
              times_markdown(incident, input.steps) + evidence(incident),
          deeds_markdown(input) + verification(incident) + later(incident) + revisions(input) + timeline(incident) +
              files(input) + post_mortem(incident) + footer(input)};
}

std::string report_markdown(const ReportInput& input, const std::string& report_before) {
  const ReportParts parts = report_parts(input);
  return parts.before + around_markdown(input, report_before) + parts.after;
}

}  // namespace watcher
