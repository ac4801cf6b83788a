#include "watcher/notify/message.hpp"

#include <algorithm>

#include "watcher/report/text.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

constexpr std::size_t text_max = 16 * 1024;  // bytes of a message

}  // namespace

boost::json::string message_text(std::string_view bytes) {
  return boost::json::string(visible(bytes.substr(0, text_max)));
}

const rules::Comparison* decisive(const rules::Tell& tell) {
  const auto bad = [](const rules::Comparison& c) { return c.verdict == rules::Verdict::bad && c.value.value; };
  const auto measured = [](const rules::Comparison& c) { return c.value.value.has_value(); };
  auto found = std::find_if(tell.evidence.begin(), tell.evidence.end(), bad);
  if (found == tell.evidence.end()) found = std::find_if(tell.evidence.begin(), tell.evidence.end(), measured);
  return found == tell.evidence.end() ? nullptr : &*found;
}

}  // namespace watcher
