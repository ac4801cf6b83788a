#include "rules/base/passwords.hpp"

#include <string_view>

namespace rules {

namespace {

constexpr std::string_view after_scheme = "://";
constexpr std::string_view ends_authority = "/?# \t\r\n\"'`";

// Where the password of the address whose authority begins at `begin` stands; none: begin and end are the same.
struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
};

Stretch password_at(std::string_view text, std::size_t begin) {
  const std::size_t end = std::min(text.find_first_of(ends_authority, begin), text.size());
  const std::size_t at = text.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < begin) return {begin, begin};
  const std::size_t colon = text.substr(0, at).find(':', begin);
  if (colon == std::string_view::npos) return {begin, begin};
  return {colon + 1, at};
}

}  // namespace

std::vector<std::string> passwords_in(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = text.find(after_scheme); at != std::string::npos; at = text.find(after_scheme, at)) {
    at += after_scheme.size();
    const Stretch found = password_at(text, at);
    if (found.end > found.begin) out.push_back(text.substr(found.begin, found.end - found.begin));
  }
  return out;
}

std::string without_passwords(std::string text) {
  for (std::size_t at = text.find(after_scheme); at != std::string::npos; at = text.find(after_scheme, at)) {
    at += after_scheme.size();
    const Stretch found = password_at(text, at);
    if (found.end > found.begin) text.replace(found.begin, found.end - found.begin, redacted);
  }
  return text;
}

}  // namespace rules
