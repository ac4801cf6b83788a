#include "watcher/report/html.hpp"

#include <md4c-html.h>

#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

constexpr unsigned dialect =
    MD_FLAG_TABLES | MD_FLAG_NOHTML | MD_FLAG_NOINDENTEDCODEBLOCKS | MD_FLAG_PERMISSIVEURLAUTOLINKS;

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --ink: #1c2330; --pale: #6a7382; --line: #d9dde4; --page: #fff; --block: #f4f6f9;
  --value: #2f6fde; --bad: #d03b3b; --mark: #7a5bd0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --pale: #98a2b3; --line: #343c4a; --page: #14181f;
  --block: #1d232d; --value: #6ea2ff; --bad: #ff7a7a; --mark: #b49cff; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto;
  max-width: 60rem; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } h3 { font-size: 1rem; }
code, pre { font: 0.86em/1.45 ui-monospace, monospace; background: var(--block); border-radius: 4px; }
code { padding: 0.1em 0.3em; overflow-wrap: anywhere; } pre { padding: 0.7rem 0.9rem; overflow-x: auto; }
td code { white-space: nowrap; } pre code { padding: 0; background: none; overflow-wrap: normal; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 0.92rem; }
th, td { border-bottom: 1px solid var(--line); padding: 0.3rem 0.8rem 0.3rem 0; vertical-align: top; text-align: left; }
[align=right] { text-align: right; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2rem 0 1rem; }
figure { margin: 1.4rem 0; } figcaption { font-size: 0.92rem; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: var(--pale); } svg text.mark { fill: var(--mark); }
svg .base { stroke: var(--line); } svg .gap { fill: var(--pale); opacity: 0.16; }
svg .threshold { stroke: var(--bad); stroke-dasharray: 5 4; } svg .mark { stroke: var(--mark); }
svg text.mark { stroke: none; } svg .value { fill: none; stroke: var(--value); stroke-width: 1.8; }
)";

void append(const char* text, MD_SIZE size, void* out) { static_cast<std::string*>(out)->append(text, size); }

}  // namespace

std::string markdown_html(const std::string& markdown) {
  std::string out;
  md_html(markdown.data(), static_cast<MD_SIZE>(markdown.size()), append, &out, dialect, 0);
  return out;
}

std::string html_text(std::string_view bytes) {
  std::string out;
  for (const char c : visible(bytes)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string html_page(std::string_view title, const std::string& body) {
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" + html_text(title) + "</title>\n<style>";
  out += style;
  return out + "</style>\n</head>\n<body>\n" + body + "</body>\n</html>\n";
}

}  // namespace watcher
