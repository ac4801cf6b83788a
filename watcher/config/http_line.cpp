#include "watcher/config/http_line.hpp"

#include <optional>
#include <utility>

#include "watcher/config/literal_secrets.hpp"
#include "watcher/config/shapes.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/config/toml_writer.hpp"

namespace watcher {

namespace {

// With a word for every name in braces.
std::string with_words(std::string url) {
  for (std::size_t open = url.find('{'); open != std::string::npos; open = url.find('{', open)) {
    const std::size_t end = url.find('}', open);
    if (end == std::string::npos) break;
    url.replace(open, end - open + 1, "x");
  }
  return url;
}

}  // namespace

void read_http_line(TableReader& reader, const probes::Key& key, rules::HttpStep& out) {
  std::optional<Text> line = reader.text(key.name);
  if (!line) return;
  const std::size_t blank = line->value.find(' ');
  if (blank != std::string::npos) {
    out.method = line->value.substr(0, blank);
    line->value.erase(0, line->value.find_first_not_of(' ', blank));
  }
  const bool method_known = nearest(out.method, {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}) == out.method;
  if (!method_known) {
    reader.error(key.name, "expected \"METHOD URL\" such as \"POST http://127.0.0.1:3001/api/queue/pause\"");
  } else {
    const Place place = blank == std::string::npos || line->secret
                            ? reader.place(key.name)
                            : reader.loading().source.inside_string(reader.place(key.name), blank);
    const std::string url = key.template_of_url ? with_words(line->value) : line->value;
    check_url(reader.loading(), place, reader.owner(key.name), url);
  }
  out.url = *std::move(line);
  Loading& loading = reader.loading();
  if (loading.secrets == Secrets::hidden)
    loading.keep_secrets(mark_secrets_of_address(out.url), reader.owner(key.name));
}

std::string http_line_toml(const rules::HttpStep& step) {
  if (step.url.value.empty() && step.url.origin.empty()) return {};
  if (step.url.secret && step.url.origin.starts_with("{ ")) return toml_of(step.url);
  // What was marked as a secret lacks the method.
  return step.url.secret ? step.url.origin.substr(0, 1) + step.method + " " + step.url.origin.substr(1)
                         : toml_string(step.method + " " + step.url.value);
}

}  // namespace watcher
