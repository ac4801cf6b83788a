#include "watcher/drivers/environment_secrets.hpp"

#include <algorithm>
#include <array>

namespace watcher {

namespace {

using std::string_view;

constexpr std::size_t secret_min = 6;  // bytes

bool is_secret_name(string_view name) {
  constexpr std::array<string_view, 14> words{"PASSWORD",    "PASSWD", "PASS", "PASSPHRASE", "SECRET",
                                              "SECRETS",     "TOKEN",  "KEY",  "PW",         "CREDENTIAL",
                                              "CREDENTIALS", "AUTH",   "DSN",  "WEBHOOK"};
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  for (std::size_t at = 0; at <= upper.size();) {
    const std::size_t end = std::min(upper.find_first_of("_-.", at), upper.size());
    if (std::find(words.begin(), words.end(), string_view(upper).substr(at, end - at)) != words.end()) return true;
    at = end + 1;
  }
  // PGPASSWORD, GITHUBTOKEN
  return upper.ends_with("PASSWORD") || upper.ends_with("TOKEN") || upper.ends_with("SECRET");
}

void take(string_view value, std::vector<std::string>& out) {
  const bool is_number = value.find_first_not_of("0123456789.:") == value.npos;
  if (value.size() >= secret_min && !is_number && value.find('\n') == value.npos) out.emplace_back(value);
}

// The X of `scheme://user:X@host`.
string_view password_in(string_view value) {
  const std::size_t scheme = value.find("://");
  if (scheme == value.npos) return {};
  const string_view rest = value.substr(scheme + 3);
  const std::size_t at = rest.substr(0, rest.find('/')).rfind('@');
  const std::size_t colon = rest.find(':');
  return at == rest.npos || colon >= at ? string_view() : rest.substr(colon + 1, at - colon - 1);
}

}  // namespace

void take_secrets(string_view name, string_view value, std::vector<std::string>& out) {
  if (is_secret_name(name)) take(value, out);
  take(password_in(value), out);
}

void take_secrets(string_view variable, std::vector<std::string>& out) {
  const std::size_t equals = variable.find('=');
  if (equals != variable.npos) take_secrets(variable.substr(0, equals), variable.substr(equals + 1), out);
}

}  // namespace watcher
