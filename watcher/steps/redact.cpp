#include "watcher/steps/redact.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace watcher {

namespace {

constexpr std::size_t secret_min = 4;  // bytes

void add(std::vector<std::string>& secrets, const rules::Text& text) {
  if (text.secret && text.value.size() >= secret_min) secrets.push_back(text.value);
}

}  // namespace

std::vector<std::string> secrets_of(const rules::StepSpec& step) {
  std::vector<std::string> secrets;
  for (const auto& [name, text] : step.env) add(secrets, text);
  if (const auto* const http = std::get_if<rules::HttpStep>(&step.what)) {
    add(secrets, http->url);
    add(secrets, http->body);
    for (const auto& [name, text] : http->headers) add(secrets, text);
  }
  // Longest first: a secret that is part of another must not leave the other's rest behind.
  std::sort(secrets.begin(), secrets.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return secrets;
}

void redact(std::string& text, const std::vector<std::string>& secrets) {
  constexpr std::string_view redacted = "<redacted>";
  for (const std::string& secret : secrets) {
    for (std::size_t at = text.find(secret); at != text.npos; at = text.find(secret, at + redacted.size())) {
      text.replace(at, secret.size(), redacted);
    }
  }
}

}  // namespace watcher
