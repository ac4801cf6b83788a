#include "watcher/drivers/tool_error.hpp"

#include <utility>

#include "probes/parse/number.hpp"
#include "watcher/report/time_limits.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

// The last line that says something.
std::string_view last_line(std::string_view text) {
  text = probes::trimmed(text);
  return probes::trimmed(text.substr(text.rfind('\n') + 1));
}

}  // namespace

std::string_view last_words(const probes::ChildResult& child) {
  std::string_view said = child.error;
  if (child.end != probes::ChildEnd::not_started) said = last_line(child.stderr_end);
  return said.empty() ? last_line(child.output_stdout) : said;
}

ToolError tool_error(std::string asked, std::string_view look, const probes::ChildSpec& spec,
                     const probes::ChildResult& child) {
  constexpr std::size_t shown_max = 400;  // bytes
  ToolError error{std::move(asked) + ": "};
  if (child.end == probes::ChildEnd::timed_out) {
    error.status = rules::StepStatus::timed_out;
    error.what += took_longer(spec.limit) + "; do look whether " + std::string(look);
    return error;
  }
  if (child.end == probes::ChildEnd::cancelled) {
    error.status = rules::StepStatus::interrupted;
    error.what += "was ended because the step was called off";
    return error;
  }
  const std::string_view said = last_words(child);
  error.what += said.empty() ? "exit code " + std::to_string(child.exit_code) : visible(said.substr(0, shown_max));
  return error;
}

}  // namespace watcher
