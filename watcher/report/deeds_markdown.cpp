#include "watcher/report/deeds_markdown.hpp"

#include <algorithm>

#include "rules/engine/commands.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

constexpr std::size_t excerpt_lines_max = 20;  // the end of an output says what went wrong
constexpr std::size_t excerpt_bytes_max = 4000;

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

}  // namespace

std::string deeds_markdown(const ReportInput& input) {
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

}  // namespace watcher
