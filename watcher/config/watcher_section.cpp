#include <unistd.h>

#include <array>

#include "watcher/config/sections.hpp"

namespace watcher {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

// "off", or ADDRESS:PORT with an IPv6 address in brackets.
bool is_listen_address(std::string_view text) {
  if (text == "off") return true;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
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
  if (const auto path = reader.path("control")) out.control = *path;
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
