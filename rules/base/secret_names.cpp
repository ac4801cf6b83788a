#include "rules/base/secret_names.hpp"

#include <algorithm>
#include <array>

namespace rules {

namespace {

using View = std::string_view;

template <class Parts>
bool has_one(const std::string& text, const Parts& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](View part) { return text.find(part) != text.npos; });
}
template <class Ends>
bool ends_with_one(const std::string& text, const Ends& ends) {
  return std::any_of(ends.begin(), ends.end(), [&](View end) { return text.ends_with(end); });
}

}  // namespace

std::string lower(View text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_name(View text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

bool is_secret_name(View name) {
  constexpr std::array<View, 13> words{"password", "passwd",  "passphrase",   "secret",     "token",
                                       "apikey",   "api-key", "api_key",      "credential", "authorization",
                                       "bearer",   "cookie",  "private-token"};
  constexpr std::array<View, 14> ends{"pass",       "pwd",         "-pw",         "_pw",      "-auth",
                                      "_auth",      "x-auth",      "auth-key",    "auth_key", "access-key",
                                      "access_key", "private_key", "signing_key", "passcode"};
  constexpr std::array<View, 16> elsewhere{"file", "path", "url", "name",  "env",    "stdin",  "dir",    "ttl",
                                           "type", "size", "jar", "count", "bypass", "expiry", "length", "endpoint"};
  const std::string text = lower(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  if (!is_name(text) || text.starts_with("no-") || ends_with_one(text, elsewhere)) return false;
  return has_one(text, words) || ends_with_one(text, ends);
}

bool sounds_secret(View name) {
  constexpr std::array<View, 12> words{"pass", "pwd",  "secret", "token",   "key",    "auth",
                                       "cred", "sign", "cookie", "session", "apikey", "otp"};
  const std::string text = lower(name);
  if (text == "pw" || text.ends_with("_pw") || text.starts_with("pw_") || text == "sig") return true;
  return has_one(text, words);
}

}  // namespace rules
