#pragma once

#include <string>

namespace watcher {

// A report's Markdown as people read it in a terminal: no marks of it, tables in columns, blocks indented. Without
// colours or other codes of a terminal.
std::string markdown_text_for_terminal(const std::string& markdown);

}  // namespace watcher
