#include "watcher/serve/access.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/ip/address.hpp>

#include "watcher/serve/problem.hpp"

namespace watcher {

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
  Digest digest{};
  std::array<unsigned char, 1> empty{};
  const auto* bytes =
      text.empty() ? empty.data() : static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
  SHA256(bytes, text.size(), digest.data());
  return digest;
}

bool is_reading(const ApiRequest& request) { return request.method == "GET"; }

bool is_port(std::string_view text) {
  return text.empty() || (text.front() == ':' && text.find_first_not_of("0123456789", 1) == text.npos);
}

// Without the port, and without the brackets of an IPv6 address; nothing where something else follows.
std::string_view host_of(std::string_view authority) {
  const bool is_bracketed = !authority.empty() && authority.front() == '[';
  const std::size_t end = is_bracketed ? authority.find(']') : std::min(authority.rfind(':'), authority.size());
  if (end == authority.npos || !is_port(authority.substr(is_bracketed ? end + 1 : end))) return {};
  return is_bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
}

bool is_public(const Target& target) { return target.is("/metrics") || target.is("/healthz") || target.is("/readyz"); }

ApiReply unauthorized(const std::string& detail) {
  ApiReply reply = problem(401, detail);
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

}  // namespace

bool is_own_host(std::string_view host, const std::vector<std::string>& names) {
  std::string name(host_of(host));
  if (!name.empty() && name.back() == '.') name.pop_back();
  // The zone of an address may be anything.
  if (name.empty() || name.find('%') != name.npos) return false;
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  if (!error || boost::iequals(name, "localhost")) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& own) { return boost::iequals(name, own); });
}

bool is_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view scheme = "Bearer ";
  if (token.empty() || !boost::iequals(authorization.substr(0, scheme.size()), scheme)) return false;
  // Digests are of one length, so that not even the token's length shows in the time.
  const Digest given = digest_of(authorization.substr(scheme.size()));
  const Digest expected = digest_of(token);
  return CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
}

std::optional<ApiReply> refused(const WatcherSection& watcher, const ApiRequest& request, const Target& target) {
  if (request.trusted) return std::nullopt;
  const bool is_for_all = is_reading(request) && is_public(target);
  // Who may connect to an exposed address has these anyway. Without the header it is no browser that was misled.
  if (is_for_all && (request.exposed || request.host.empty())) return std::nullopt;
  if (!is_own_host(request.host, watcher.hosts)) {
    return problem(403, "the Host header \"" + request.host +
                            "\" is neither an address, nor localhost, nor one of watcher.hosts: a name that we do not "
                            "know may be another site's, made to lead here");
  }
  if (is_for_all) return std::nullopt;
  const bool has_token = watcher.token && !watcher.token->value.empty();
  if (!has_token && is_reading(request) && !request.exposed) return std::nullopt;
  if (!has_token) {
    if (request.exposed) {
      return problem(403,
                     "without watcher.token an address that is not loopback serves only /metrics, /healthz and "
                     "/readyz; set a token, or use the control socket");
    }
    return problem(403,
                   "without watcher.token the API is read-only over TCP; set a token, or use the control socket "
                   "(the command line does)");
  }
  if (request.authorization.empty()) return unauthorized("send the token: Authorization: Bearer TOKEN");
  if (!is_token(request.authorization, watcher.token->value)) {
    return unauthorized("the token is not the one of watcher.token");
  }
  return std::nullopt;
}

}  // namespace watcher
