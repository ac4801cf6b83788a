#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "probes/key_rows.hpp"
#include "probes/net/user.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/serve/group.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;

constexpr std::int64_t memory_min = 1024 * 1024;  // bytes; less is no room for one page of a usual library
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

std::string wrong_listen(const std::string& text) {
  if (is_listen_address(text)) return {};
  return "expected ADDRESS:PORT such as \"127.0.0.1:9877\", or \"off\", found \"" + text + "\"";
}

std::string wrong_host(const std::string& name) {
  constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  if (!name.empty() && name.find_first_not_of(characters) == std::string::npos) return {};
  return "expected a host's name without scheme and port, such as \"watcher.example\", found \"" + name + "\"";
}

std::string wrong_name(const std::string& name) {
  return name.empty() ? "is empty; leave it out for the host's name" : std::string();
}

std::string wrong_socket(const std::string& path) {
  if (path.size() <= socket_path_max) return {};
  return "a socket's path has at most " + std::to_string(socket_path_max) + " bytes, \"" + path + "\" has " +
         std::to_string(path.size());
}

std::string wrong_group(const std::string& group) {
  if (group.empty()) return "is empty; leave it out for nobody else";
  const auto found = group_id(group);
  const auto* const wrong = std::get_if<std::string>(&found);
  return wrong == nullptr ? std::string() : *wrong;
}

// The usual one is not on every host; it is looked for where there is a runner.
std::string wrong_runner_user(const std::string& user) {
  return user == WatcherSection().runner_user ? std::string() : probes::wrong_user(user);
}

std::string wrong_state_dir(const std::string& path) {
  std::error_code failure;
  const std::filesystem::file_status there = std::filesystem::status(path, failure);
  if (!std::filesystem::exists(there) || std::filesystem::is_directory(there)) return {};
  return path + " is not a folder; name one that is, or one that is not there yet";
}

constexpr probes::Word modes[]{
    {"act", static_cast<int>(rules::Mode::act), "what its severity says"},
    {"ask", static_cast<int>(rules::Mode::ask), "nothing is changed before somebody approves"},
    {"observe", static_cast<int>(rules::Mode::observe), "nothing is changed: what would have been done is told"},
};

template <Kind How, auto Member>
constexpr Key watcher_key(std::string_view name, std::string_view doc) {
  return key<How, &Config::watcher, Member>(name, doc);
}

constexpr std::array keys{
    watcher_key<Kind::string, &WatcherSection::name>("name", "What messages and reports call this watcher.")
        .checked(wrong_name)
        .when_left_out("the host's name"),
    watcher_key<Kind::path, &WatcherSection::state_dir>("state_dir",
                                                        "The folder of the journal, samples and incidents.")
        .checked(wrong_state_dir),
    watcher_key<Kind::string, &WatcherSection::listen>(
        "listen", "Where metrics, health, API and page are served: ADDRESS:PORT, or \"off\".")
        .checked(wrong_listen),
    watcher_key<Kind::strings, &WatcherSection::hosts>(
        "hosts", "The names by which it is asked, besides addresses and localhost: others are refused.")
        .when_left_out("none")
        .checked(wrong_host),
    watcher_key<Kind::path, &WatcherSection::control>("control", "The Unix socket through which the commands come in.")
        .checked(wrong_socket),
    watcher_key<Kind::string, &WatcherSection::control_group>("control_group",
                                                              "The group that may use it besides root.")
        .checked(wrong_group)
        .when_left_out("nobody else"),
    watcher_key<Kind::path, &WatcherSection::runner>(
        "runner",
        "The Unix socket of `rollbackd runner`, which runs everything that changes or reads a service, so that the "
        "watcher needs no rights.")
        .checked(wrong_socket)
        .when_left_out("the watcher does it itself"),
    watcher_key<Kind::string, &WatcherSection::runner_user>("runner_user", "Who may ask the runner, besides root.")
        .checked(wrong_runner_user),
    watcher_key<Kind::path, &WatcherSection::runner_dir>("runner_dir", "The folder of what the runner keeps."),
    watcher_key<Kind::text, &WatcherSection::token>("token", "What whoever changes state over TCP has to show.")
        .when_left_out("read-only over TCP"),
    probes::choice<modes, &Config::core, &rules::CoreConfig::mode>("mode", "The most that any rule may do by itself."),
    watcher_key<Kind::duration, &WatcherSection::record>("record", "How long raw samples are kept."),
    watcher_key<Kind::size, &WatcherSection::memory>(
        "memory",
        "The most memory that all targets together may make us keep. Each may always use an equal share; a probe that "
        "would exceed both is unknown."),
    watcher_key<Kind::string, &WatcherSection::environment>("environment", "What this host is, such as \"staging\".")
        .when_left_out("not said"),
    watcher_key<Kind::address, &WatcherSection::heartbeat>(
        "heartbeat", "Is asked again and again while the watcher lives and could act: who misses it calls people.")
        .with_secret_path()
        .when_left_out("nobody misses it"),
    watcher_key<Kind::duration, &WatcherSection::heartbeat_every>("heartbeat_every", "How often.")
        .at_least(std::chrono::seconds(1)),
};

}  // namespace

std::span<const Key> watcher_keys() { return keys; }

void read_watcher(Loading& loading, TableReader& root) {
  WatcherSection& out = loading.config.watcher;
  out.name = host_name();
  const toml::table* const table = root.subtable("watcher");
  if (table == nullptr) return;
  TableReader reader(loading, *table, "watcher");
  reader.read(keys, &loading.config);
  if (out.token && out.token->value.empty()) reader.error("token", "is empty; leave it out for read-only over TCP");
  if (out.memory < memory_min) reader.error("memory", "is less than \"1MiB\", which no page of metrics fits in");
  reader.finish();
}

}  // namespace watcher
