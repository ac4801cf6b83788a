#pragma once

#include <string>
#include <string_view>

namespace watcher {

// Plain words in HTML, visible (visible.hpp): nothing in them is markup, in an attribute's quotes neither.
std::string html_text(std::string_view bytes);

// A report's Markdown (CommonMark with tables); no HTML in it is taken for HTML.
std::string markdown_html(const std::string& markdown);

// A page of its own, without scripts and without anything from elsewhere.
std::string html_page(std::string_view title, const std::string& body);

}  // namespace watcher
