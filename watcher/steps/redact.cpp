#include "watcher/steps/redact.hpp"

#include <algorithm>
#include <string_view>

namespace watcher {

namespace {

constexpr std::size_t secret_min = 4;  // bytes
constexpr std::string_view redacted = "<redacted>";

void add(std::vector<std::string>& secrets, const rules::Text& text) {
  if (text.secret) secrets.push_back(text.value);
}

// In one pass, as output may be long and all secret.
void redact_one(std::string& text, std::string_view secret) {
  std::size_t at = text.find(secret);
  if (at == std::string::npos) return;
  std::string out;
  std::size_t from = 0;
  for (; at != std::string::npos; at = text.find(secret, from)) {
    out.append(text, from, at - from).append(redacted);
    from = at + secret.size();
  }
  text = out.append(text, from);
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
  return secrets;
}

void redact(std::string& text, const std::vector<std::string>& secrets) {
  std::vector<std::string_view> longest_first;
  for (const std::string& secret : secrets) {
    if (secret.size() >= secret_min) longest_first.emplace_back(secret);
  }
  // A secret that is part of another must not leave the other's rest behind.
  std::sort(longest_first.begin(), longest_first.end(), [](auto a, auto b) { return a.size() > b.size(); });
  for (const std::string_view secret : longest_first) redact_one(text, secret);
}

void redact(rules::Poll& poll, const std::vector<std::string>& secrets) {
  if (poll.fault) redact(poll.fault->what, secrets);
}

void redact(rules::Event& event, const std::vector<std::string>& secrets) {
  if (auto* const poll = std::get_if<rules::Poll>(&event)) redact(*poll, secrets);
  if (auto* const ready = std::get_if<rules::ReadinessRead>(&event)) {
    redact(ready->reason, secrets);
    for (rules::DriverReadiness& one : ready->drivers) redact(one.why_not, secrets);
    for (rules::NamedRevision& named : ready->names) redact(named.why_not, secrets);
  }
  if (auto* const read = std::get_if<rules::RevisionRead>(&event)) {
    redact(read->error, secrets);
    redact(read->by, secrets);
    redact(read->schema, secrets);
  }
}

}  // namespace watcher
