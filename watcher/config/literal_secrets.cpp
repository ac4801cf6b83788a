#include "watcher/config/literal_secrets.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "rules/base/command_secrets.hpp"
#include "rules/base/passwords.hpp"
#include "rules/base/secret_names.hpp"
#include "watcher/config/toml_text.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

using probes::Kind;
using rules::redacted;
using rules::sounds_secret;
using rules::Text;
using Parts = std::vector<std::string>;

void append(Parts& to, Parts more) { std::move(more.begin(), more.end(), std::back_inserter(to)); }

// As it stands inside quotes, of JSON and TOML alike.
std::string escaped(const std::string& part) {
  const std::string quoted = json::serialize(json::value(part));
  return quoted.substr(1, quoted.size() - 2);
}

void replace_all(std::string& text, const std::string& part) {
  if (part.empty()) return;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + redacted.size()))
    text.replace(at, part.size(), redacted);
}

// How the text is written out from now on. The longest first: one may be part of another.
void mark(Text& text, Parts parts) {
  if (parts.empty()) return;
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::string written = text.origin.empty() ? text.value : text.origin;
  for (const std::string& part : parts) {
    for (const std::string& form : {part, escaped(part), escaped(escaped(part))}) replace_all(written, form);
  }
  text.secret = true;
  text.origin = text.origin.empty() ? toml_string(written) : written;
}

// name=value pairs, of a query or a form: the values whose names sound secret.
Parts secrets_of_pairs(std::string_view text) {
  Parts out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("&;#"), text.size());
    const std::string_view pair = text.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && equals + 1 < pair.size() && sounds_secret(pair.substr(0, equals)))
      out.emplace_back(pair.substr(equals + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// Whether a webhook's path may be the key to it: /services/T0/B0/x, and not /rollbackd, which would be taken out of
// every sentence.
bool may_be_key(std::string_view path) {
  constexpr std::size_t word_max = 15;
  std::size_t length = 0;
  return std::any_of(path.begin(), path.end(), [&length](char c) {
    length = c == '/' ? 0 : length + 1;
    const bool is_of_words = (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '/';
    return !is_of_words || length > word_max;
  });
}

Parts secrets_of_address(const std::string& url, bool is_path_secret) {
  Parts out = rules::passwords_in(url);
  const std::size_t host = url.find("://");
  const std::size_t path = host == std::string::npos ? host : url.find_first_of("/?", host + 3);
  if (path == std::string::npos) return out;
  if (is_path_secret && may_be_key(std::string_view(url).substr(path + 1))) out.push_back(url.substr(path + 1));
  const std::size_t query = url.find('?', path);
  if (query != std::string::npos) append(out, secrets_of_pairs(std::string_view(url).substr(query + 1)));
  return out;
}

// "Bearer abc" of any header; all of one whose name sounds secret.
Parts secrets_of_named(std::string_view name, const std::string& value) {
  if (value.empty()) return {};
  for (const std::string_view scheme : {"Bearer ", "Basic ", "Token "}) {
    if (value.starts_with(scheme) && value.size() > scheme.size()) return {value, value.substr(scheme.size())};
  }
  if (sounds_secret(name)) return {value};
  return rules::passwords_in(value);
}

Parts secrets_of_json(std::string_view name, const json::value& value) {
  Parts out;
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) append(out, secrets_of_json(member.key(), member.value()));
  } else if (const auto* array = value.if_array()) {
    for (const json::value& each : *array) append(out, secrets_of_json(name, each));
  } else if (const auto* text = value.if_string()) {
    out = secrets_of_named(name, std::string(*text));
  }
  return out;
}

Parts secrets_of_body(const std::string& body) {
  json::error_code failure;
  const json::value value = json::parse(body, failure);
  if (!failure && (value.is_object() || value.is_array())) return secrets_of_json("", value);
  Parts out = secrets_of_pairs(body);
  append(out, rules::passwords_in(body));
  return out;
}

// A value that a journey saved, {token} or Bearer {token}, is filled in when it is asked.
bool is_placeholder(const std::string& part) {
  const std::size_t open = part.find('{');
  const bool alone = open == 0 || (open != std::string::npos && part[open - 1] == ' ');
  return alone && part.back() == '}';
}

Parts marked(Text& text, Parts parts) {
  std::erase_if(parts, is_placeholder);
  mark(text, parts);
  return parts;
}

// What stands behind a reference is marked already. A body of JSON may have both.
bool is_literal(const Text& text) { return !text.secret && text.origin.empty(); }

Parts mark_entries(std::map<std::string, Text>& entries) {
  Parts out;
  for (auto& [name, text] : entries) {
    if (is_literal(text)) append(out, marked(text, secrets_of_named(name, text.value)));
  }
  return out;
}

Parts mark_whole(Text& text) { return !is_literal(text) || text.value.empty() ? Parts() : marked(text, {text.value}); }

Parts mark_address(Text& address, bool is_path_secret) {
  return is_literal(address) ? marked(address, secrets_of_address(address.value, is_path_secret)) : Parts();
}

Parts mark_addresses(std::vector<Text>& addresses) {
  Parts out;
  for (Text& address : addresses) append(out, mark_address(address, false));
  return out;
}

Parts secrets_of_words(const std::vector<std::string>& words) {
  Parts out;
  for (const std::string& word : words) append(out, rules::passwords_in(word));
  return out;
}

Parts secrets_of_commands(const std::vector<std::vector<std::string>>& commands) {
  Parts out;
  for (const std::vector<std::string>& words : commands) append(out, rules::secrets_in_command(words));
  return out;
}

Parts mark_body(Text& body) {
  const bool is_reference = body.secret && !body.origin.starts_with("{ json");
  return is_reference ? Parts() : marked(body, secrets_of_body(body.value));
}

}  // namespace

std::vector<std::string> mark_secrets(const probes::Key& key, probes::Value& value) {
  switch (key.kind) {
    case Kind::text:
      return key.is_told ? Parts() : mark_whole(std::get<Text>(value));
    case Kind::address:
      return mark_address(std::get<Text>(value), key.secret_path);
    case Kind::addresses:
      return mark_addresses(std::get<std::vector<Text>>(value));
    case Kind::headers:
    case Kind::texts:
      return mark_entries(std::get<std::map<std::string, Text>>(value));
    case Kind::body:
      return mark_body(std::get<Text>(value));
    case Kind::strings:
      return secrets_of_words(std::get<std::vector<std::string>>(value));
    case Kind::argv:
      return rules::secrets_in_command(std::get<std::vector<std::string>>(value));
    case Kind::commands:
      return secrets_of_commands(std::get<std::vector<std::vector<std::string>>>(value));
    case Kind::string:
    case Kind::pattern:
    case Kind::path:
    case Kind::folder:
    case Kind::flag:
    case Kind::integer:
    case Kind::number:
    case Kind::share:
    case Kind::size:
    case Kind::duration:
    case Kind::choice:
    case Kind::choices:
    case Kind::map:
    case Kind::fields:
    case Kind::checks:
    case Kind::object:
    case Kind::statuses:
    case Kind::condition:
    case Kind::table:
    case Kind::tables:
    case Kind::group:
      return {};
  }
  return {};
}

std::vector<std::string> mark_secrets_of_address(Text& address) { return mark_address(address, false); }

}  // namespace watcher
