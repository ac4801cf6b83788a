#include "probes/net/cookies.hpp"

#include <algorithm>
#include <array>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <chrono>
#include <ctime>
#include <locale>
#include <utility>

namespace probes {

namespace {

// As browsers have them (RFC 6265, 6.1).
constexpr std::size_t cookie_max = 4096;  // bytes of name and value
constexpr std::size_t cookies_max = 50;   // the oldest goes

std::string lower(std::string_view text) { return boost::to_lower_copy(std::string(text), std::locale::classic()); }

std::string trimmed(std::string_view text) { return boost::trim_copy(std::string(text), std::locale::classic()); }

// NAME=VALUE up to the next semicolon, which is taken off the text.
std::pair<std::string, std::string> next_pair(std::string_view& text) {
  const std::string_view pair = text.substr(0, text.find(';'));
  text.remove_prefix(std::min(text.size(), pair.size() + 1));
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return {trimmed(pair), {}};
  return {trimmed(pair.substr(0, equals)), trimmed(pair.substr(equals + 1))};
}

bool is_address(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

// RFC 6265, 5.1.3. An address has no domain above it.
bool is_within(const std::string& host, const std::string& domain) {
  if (host == domain) return true;
  return host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.' &&
         !is_address(host);
}

// As browsers take it.
bool is_safe(const Url& url) { return url.tls || is_loopback(url); }

std::string path_of(const std::string& target) { return target.substr(0, target.find('?')); }

// RFC 6265, 5.1.4.
std::string default_path(const std::string& target) {
  const std::string path = path_of(target);
  const std::size_t last = path.rfind('/');
  return last == std::string::npos || last == 0 ? "/" : path.substr(0, last);
}

bool covers(const std::string& cookie_path, const std::string& target) {
  const std::string path = path_of(target);
  if (!path.starts_with(cookie_path)) return false;
  return path.size() == cookie_path.size() || cookie_path.back() == '/' || path[cookie_path.size()] == '/';
}

// A date that cannot be read is no date.
bool is_past(const std::string& date, rules::Instant now) {
  constexpr std::array<const char*, 3> formats{"%a, %d %b %Y %H:%M:%S", "%a, %d-%b-%Y %H:%M:%S",
                                               "%A, %d-%b-%y %H:%M:%S"};
  for (const char* const format : formats) {
    std::tm parts{};
    if (strptime(date.c_str(), format, &parts) != nullptr)
      return timegm(&parts) <= std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  }
  return false;
}

// What ends a cookie: Max-Age, which wins, and Expires.
struct Lifetime {
  std::optional<long> max_age;
  std::string expires;

  bool is_over(rules::Instant now) const { return max_age ? *max_age <= 0 : !expires.empty() && is_past(expires, now); }
};

std::optional<long> number(std::string_view text) {
  long out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

}  // namespace

void CookieJar::take(const Url& from, const HttpReply& reply) {
  for (const auto& [name, value] : reply.fields) {
    if (boost::iequals(name, "set-cookie")) put(from, value);
  }
}

void CookieJar::put(const Url& from, std::string_view field) {
  const std::string host = lower(from.host);
  Cookie cookie;
  const auto [name, value] = next_pair(field);
  if (name.empty()) return;
  cookie.name = name;
  cookie.value = value;
  cookie.domain = host;
  cookie.path = default_path(from.target);
  Lifetime lifetime;
  while (!field.empty()) {
    const auto [attribute, argument] = next_pair(field);
    const std::string key = lower(attribute);
    if (key == "secure") cookie.secure = true;
    if (key == "path" && argument.starts_with('/')) cookie.path = argument;
    if (key == "max-age") lifetime.max_age = number(argument);
    if (key == "expires") lifetime.expires = argument;
    if (key == "domain" && !argument.empty()) {
      cookie.domain = lower(argument.starts_with('.') ? argument.substr(1) : argument);
      cookie.host_only = cookie.domain == host && is_address(host);
    }
  }
  if (!is_within(host, cookie.domain) || (cookie.secure && !is_safe(from))) return;
  std::erase_if(cookies_, [&](const Cookie& old) {
    return old.name == cookie.name && old.domain == cookie.domain && old.path == cookie.path;
  });
  if (lifetime.is_over(now_) || cookie.name.size() + cookie.value.size() > cookie_max) return;
  if (cookies_.size() == cookies_max) cookies_.erase(cookies_.begin());
  cookies_.push_back(std::move(cookie));
}

std::string CookieJar::header(const Url& to) const {
  const std::string host = lower(to.host);
  std::vector<const Cookie*> sent;
  for (const Cookie& cookie : cookies_) {
    const bool is_hosts = cookie.host_only ? host == cookie.domain : is_within(host, cookie.domain);
    if (is_hosts && covers(cookie.path, to.target) && (!cookie.secure || is_safe(to))) sent.push_back(&cookie);
  }
  // The longest path first.
  std::stable_sort(sent.begin(), sent.end(),
                   [](const Cookie* a, const Cookie* b) { return a->path.size() > b->path.size(); });
  std::string out;
  for (const Cookie* cookie : sent) out += (out.empty() ? "" : "; ") + cookie->name + "=" + cookie->value;
  return out;
}

std::optional<std::string> CookieJar::value(std::string_view name) const {
  for (auto cookie = cookies_.rbegin(); cookie != cookies_.rend(); ++cookie) {
    if (cookie->name == name) return cookie->value;
  }
  return std::nullopt;
}

}  // namespace probes
