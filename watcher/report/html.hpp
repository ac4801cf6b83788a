#pragma once

#include <string>
#include <string_view>

namespace watcher {

// Plain words in HTML, visible (visible.hpp): nothing in them is markup, in an attribute's quotes neither.
std::string html_text(std::string_view bytes);

// A page of its own, without scripts and without anything from elsewhere. `markdown` is a report's (CommonMark with
// tables, no HTML in it is taken for HTML); `figures` are put before the section whose title is `before`, or at the
// end.
std::string html_page(std::string_view title, const std::string& markdown, const std::string& figures,
                      std::string_view before);

}  // namespace watcher
