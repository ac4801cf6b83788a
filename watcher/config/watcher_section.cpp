#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "watcher/config/sections.hpp"

namespace watcher {

namespace {

constexpr std::size_t socket_path_max = sizeof(sockaddr_un::sun_path) - 1;  // bytes; the kernel's limit

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> unused{};
  return inet_pton(AF_INET, text.c_str(), unused.data()) == 1 || inet_pton(AF_INET6, text.c_str(), unused.data()) == 1;
}

// "off", or ADDRESS:PORT with an IPv6 address in brackets. Names are not looked up; localhost is known.
bool is_listen_address(std::string_view text) {
  if (text == "off") return true;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host != "localhost" && !is_address(std::string(host))) return false;
  const std::string_view port = text.substr(colon + 1);
  const bool digits =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
  return digits && std::stoi(std::string(port)) <= 65535;
}

}  // namespace

void read_watcher(Loading& loading, TableReader& root) {
  WatcherSection& out = loading.config.watcher;
  out.name = host_name();
  const toml::table* const table = root.subtable("watcher");
  if (table == nullptr) return;
  TableReader reader(loading, *table, "watcher");
  if (const auto name = reader.string("name")) out.name = *name;
  if (const auto path = reader.path("state_dir")) out.state_dir = *path;
  if (const auto listen = reader.string("listen")) {
    out.listen = *listen;
    if (!is_listen_address(*listen)) {
      reader.error("listen", "expected ADDRESS:PORT such as \"127.0.0.1:9877\", or \"off\", found \"" + *listen + "\"");
    }
  }
  if (const auto path = reader.path("control")) {
    out.control = *path;
    if (path->size() > socket_path_max) {
      reader.error("control", "a socket's path has at most " + std::to_string(socket_path_max) + " bytes, \"" + *path +
                                  "\" has " + std::to_string(path->size()));
    }
  }
  out.control_group = reader.string("control_group").value_or("");
  out.token = reader.text("token");
  if (out.token && out.token->value.empty()) reader.error("token", "is empty; leave it out for read-only over TCP");
  const auto mode = reader.choice<rules::Mode>(
      "mode", {{"act", rules::Mode::act}, {"ask", rules::Mode::ask}, {"observe", rules::Mode::observe}});
  if (mode) loading.config.core.mode = *mode;
  if (const auto record = reader.duration("record")) out.record = *record;
  out.environment = reader.string("environment").value_or("");
  reader.finish();
}

}  // namespace watcher
