#include "watcher/config/self_told.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace watcher {

namespace {

constexpr std::array<std::string_view, 3> this_host{"localhost", "127.0.0.1", "[::1]"};

// HOST:PORT of http://USER:PASSWORD@HOST:PORT/PATH, as written.
std::string address_in(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  const std::string_view rest = url.substr(scheme + 3);
  const std::string_view whole = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t user = whole.rfind('@');
  return std::string(user == std::string_view::npos ? whole : whole.substr(user + 1));
}

// The same under each name of this host.
std::vector<std::string> ways_to_write(const std::string& address) {
  for (const std::string_view host : this_host) {
    if (!address.starts_with(std::string(host) + ":")) continue;
    std::vector<std::string> out;
    for (const std::string_view other : this_host) out.push_back(std::string(other) + address.substr(host.size()));
    return out;
  }
  return {address};
}

std::vector<std::string> addresses_of(const probes::ProbeConfig& probe) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& address) {
    if (address.empty()) return;
    for (std::string& way : ways_to_write(address)) out.push_back(std::move(way));
  };
  if (const auto* const http = std::get_if<probes::HttpProbe>(&probe.what)) {
    for (const rules::Text& url : http->urls) {
      if (!url.secret) add(address_in(url.value));
    }
  } else if (const auto* const tcp = std::get_if<probes::TcpProbe>(&probe.what)) {
    add(tcp->host + ":" + std::to_string(tcp->port));
  }
  return out;
}

// Not a part of a longer name or of another port.
bool names(std::string_view word, const std::string& address) {
  const std::string_view of_a_name = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  for (std::size_t at = word.find(address); at != std::string_view::npos; at = word.find(address, at + 1)) {
    const bool begins = at == 0 || of_a_name.find(word[at - 1]) == std::string_view::npos;
    const std::size_t end = at + address.size();
    if (begins && (end == word.size() || of_a_name.find(word[end]) == std::string_view::npos)) return true;
  }
  return false;
}

}  // namespace

void check_self_told(Loading& loading) {
  for (const rules::ServiceSpec& service : loading.config.core.services) {
    const std::vector<probes::ProbeConfig>& probes = loading.config.probes;
    const auto health = std::find_if(probes.begin(), probes.end(),
                                     [&](const probes::ProbeConfig& one) { return one.name == service.health; });
    if (health == probes.end()) continue;
    for (const PlacedCommand& command : loading.commands) {
      if (command.owner != "service." + service.name.text + ".identify") continue;
      for (const std::string& address : addresses_of(*health)) {
        const bool asks = std::any_of(command.argv.begin(), command.argv.end(),
                                      [&](const std::string& word) { return names(word, address); });
        if (!asks) continue;
        loading.findings.warning(
            command.place, command.owner + ": asks " + address +
                               ", where its health is: of a release that does not start it cannot say that it runs, "
                               "which is then told and not rolled back; say `rollbackd deploy begin REVISION` and "
                               "`rollbackd deploy end` around each deployment, or ask what does not need the "
                               "application (a file, git, Docker)");
        break;
      }
    }
  }
}

}  // namespace watcher
