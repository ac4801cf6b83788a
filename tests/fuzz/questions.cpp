#include <algorithm>
#include <cstdint>
#include <string_view>

#include "require.hpp"
#include "watcher/report/visible.hpp"
#include "watcher/runner/wire.hpp"

namespace {

bool is_safe(const rules::Revision& revision) { return revision.empty() || rules::is_safe_in_argv(revision); }

bool is_shown(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  return std::none_of(text.begin(), text.end(), is_control) && watcher::visible(text) == text;
}

}  // namespace

// What the runner is asked, by whoever has taken over the watcher: either it is refused for its form, or nothing in it
// can be more than a name, a revision or a text; and it reads back as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto question = watcher::question_in(line);
  if (!question || !watcher::why_malformed(*question).empty()) return 0;
  const rules::StepContext& context = question->context;
  require(is_safe(context.from) && is_safe(context.to) && is_safe(question->from), "a revision is safe");
  require(std::all_of(question->known.begin(), question->known.end(), is_safe), "every revision is safe");
  for (const std::string& name : {question->step.incident.text, context.incident.text, question->service.text})
    require(name.find('/') == name.npos && !name.starts_with('.') && !name.starts_with('-'), "a name is a plain one");
  for (const std::string& text : {context.reason, context.backup, context.schema_from, context.schema_to})
    require(is_shown(text), "a text can be seen");
  require(!context.backup.starts_with('-'), "a backup is no option");
  const std::string written = watcher::line_of(*question);
  require(written.find('\n') == written.npos, "a question is one line");
  const auto again = watcher::question_in(written);
  require(again && watcher::line_of(*again) == written, "a question reads back as the same");
  return 0;
}
