#include "watcher/drivers/compose_containers.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "watcher/drivers/environment_secrets.hpp"
#include "watcher/drivers/json_order.hpp"

namespace watcher {

namespace json = boost::json;

namespace {

using std::string_view;

// What Compose decides of a container, and neither the daemon nor the day.
constexpr std::array<string_view, 12> of_config{"Cmd",        "Entrypoint", "User",        "WorkingDir",
                                                "Domainname", "StopSignal", "StopTimeout", "Healthcheck",
                                                "Tty",        "OpenStdin",  "Env",         "ExposedPorts"};
constexpr std::array<string_view, 37> of_host{
    "PortBindings", "RestartPolicy", "Memory",         "MemorySwap",        "MemoryReservation", "NanoCpus",
    "CpuShares",    "CpuPeriod",     "CpuQuota",       "CpusetCpus",        "PidsLimit",         "CapAdd",
    "CapDrop",      "Privileged",    "ReadonlyRootfs", "Devices",           "DeviceRequests",    "ExtraHosts",
    "Dns",          "DnsSearch",     "DnsOptions",     "SecurityOpt",       "Sysctls",           "Tmpfs",
    "Ulimits",      "ShmSize",       "LogConfig",      "OomKillDisable",    "OomScoreAdj",       "GroupAdd",
    "Init",         "Runtime",       "UTSMode",        "DeviceCgroupRules", "BlkioWeight",       "VolumeDriver",
    "CgroupParent"};
// These name another container by an id that is another one each time.
constexpr std::array<string_view, 3> modes_of_host{"NetworkMode", "PidMode", "IpcMode"};
// Lists in which the order says nothing.
constexpr std::array<string_view, 9> sets{"Env",        "CapAdd",  "CapDrop",  "ExtraHosts", "SecurityOpt",
                                          "DnsOptions", "Devices", "GroupAdd", "Ulimits"};

const json::object& object_at(const json::object& from, string_view name) {
  static const json::object none;
  const json::value* const value = from.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

std::string text_at(const json::object& from, string_view name) {
  const json::value* const value = from.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

int number_at(const json::object& from, string_view name) {
  const json::value* const value = from.if_contains(name);
  return value != nullptr && value->is_int64() ? static_cast<int>(value->get_int64()) : 0;
}

bool flag_at(const json::object& from, string_view name) {
  const json::value* const value = from.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// null, false, 0, "", [] and {} are all what is left out.
bool says_nothing(const json::value& value) {
  if (value.is_null()) return true;
  if (value.is_bool()) return !value.get_bool();
  if (value.is_int64()) return value.get_int64() == 0;
  if (value.is_uint64()) return value.get_uint64() == 0;
  if (value.is_string()) return value.get_string().empty();
  if (value.is_array()) return value.get_array().empty();
  return value.is_object() && value.get_object().empty();
}

template <class Names>
bool is_one_of(const Names& names, string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// {} is what the members of a set have, such as ports.
std::string in_order(const json::value& value) {
  return watcher::in_order(value, [](const json::value& one) { return says_nothing(one) && !one.is_object(); });
}

// Compose 1 tells each container in its environment which one it replaces.
bool names_what_was(const json::value& one) {
  return one.is_string() && string_view(one.get_string()).starts_with("affinity:container=");
}

std::string in_order_as_set(const json::array& all) {
  std::vector<std::string> parts;
  for (const json::value& one : all) {
    if (!names_what_was(one)) parts.push_back(in_order(one));
  }
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (const std::string& part : parts) out += part + ",";
  return out;
}

template <class Names>
std::string chosen(const json::object& from, const Names& names) {
  std::string out;
  for (const string_view name : names) {
    const json::value* const value = from.if_contains(name);
    if (value == nullptr || says_nothing(*value)) continue;
    const bool is_set = value->is_array() && is_one_of(sets, name);
    out.append(name).append("=").append(is_set ? in_order_as_set(value->get_array()) : in_order(*value)).append("\n");
  }
  return out;
}

// A volume without a name has another one each time, 64 digits; Compose hands it on to the next container.
bool is_anonymous(const std::string& volume) {
  constexpr std::size_t digits = 64;
  return volume.empty() ||
         (volume.size() == digits && volume.find_first_not_of("0123456789abcdef") == std::string::npos);
}

// Where they are mounted is told in the same words by every version of Compose; how they were asked for is not.
std::string mounts_of(const json::object& container) {
  const json::value* const mounts = container.if_contains("Mounts");
  if (mounts == nullptr || !mounts->is_array()) return {};
  std::vector<std::string> all;
  for (const json::value& one : mounts->get_array()) {
    if (!one.is_object()) continue;
    const json::object& mount = one.get_object();
    const bool is_volume = text_at(mount, "Type") == "volume";
    const std::string source = text_at(mount, is_volume ? "Name" : "Source");
    if (is_volume && is_anonymous(source)) continue;
    all.push_back(text_at(mount, "Type") + " " + source + " at " + text_at(mount, "Destination") +
                  (flag_at(mount, "RW") ? "\n" : " read-only\n"));
  }
  std::sort(all.begin(), all.end());
  std::string out;
  for (const std::string& one : all) out += "mount=" + one;
  return out;
}

std::string labels_of(const json::object& labels) {
  json::object own;
  for (const auto& label : labels) {
    const string_view name = label.key();
    if (!name.starts_with("com.docker.compose.") && !name.starts_with("desktop.docker.io/"))
      own[label.key()] = label.value();
  }
  return own.empty() ? std::string() : "Labels=" + in_order(own) + "\n";
}

std::string modes_of(const json::object& host) {
  std::string out;
  for (const string_view name : modes_of_host) {
    std::string mode = text_at(host, name);
    if (mode.starts_with("container:")) mode = "container";
    if (!mode.empty()) out.append(name).append("=").append(mode).append("\n");
  }
  return out;
}

std::string networks_of(const json::object& container) {
  std::vector<std::string> names;
  for (const auto& network : object_at(object_at(container, "NetworkSettings"), "Networks"))
    names.emplace_back(network.key());
  std::sort(names.begin(), names.end());
  std::string out;
  for (const std::string& name : names) out += "network=" + name + "\n";
  return out;
}

std::string configured_of(const json::object& container) {
  const json::object& config = object_at(container, "Config");
  const json::object& host = object_at(container, "HostConfig");
  return chosen(config, of_config) + labels_of(object_at(config, "Labels")) + chosen(host, of_host) + modes_of(host) +
         mounts_of(container) + networks_of(container);
}

std::vector<std::string> secrets_of(const json::object& config) {
  std::vector<std::string> out;
  const json::value* const all = config.if_contains("Env");
  if (all == nullptr || !all->is_array()) return out;
  for (const json::value& one : all->get_array()) {
    if (one.is_string()) take_secrets(string_view(one.get_string().data(), one.get_string().size()), out);
  }
  return out;
}

// "container:ID" of a mode, "ID:rw" of volumes.
std::vector<std::string> joins_of(const json::object& host) {
  constexpr string_view container = "container:";
  std::vector<std::string> out;
  for (const string_view name : modes_of_host) {
    const std::string mode = text_at(host, name);
    if (mode.starts_with(container)) out.push_back(mode.substr(container.size()));
  }
  const json::value* const volumes = host.if_contains("VolumesFrom");
  if (volumes == nullptr || !volumes->is_array()) return out;
  for (const json::value& one : volumes->get_array()) {
    if (!one.is_string()) continue;
    const std::string from(one.get_string());
    out.push_back(from.substr(0, from.find(':')));
  }
  return out;
}

ComposeContainer container_from(const json::object& from) {
  const json::object& config = object_at(from, "Config");
  const json::object& labels = object_at(config, "Labels");
  const json::object& state = object_at(from, "State");
  ComposeContainer out;
  out.id = text_at(from, "Id");
  out.name = text_at(from, "Name");
  if (out.name.starts_with('/')) out.name.erase(0, 1);
  out.project = text_at(labels, "com.docker.compose.project");
  out.service = text_at(labels, "com.docker.compose.service");
  out.working_dir = text_at(labels, "com.docker.compose.project.working_dir");
  out.config_hash = text_at(labels, "com.docker.compose.config-hash");
  out.made_by = text_at(labels, "com.docker.compose.version");
  out.image = text_at(from, "Image");
  out.image_name = text_at(config, "Image");
  out.configured = configured_of(from);
  out.created = text_at(from, "Created");
  if (out.created.ends_with('Z')) out.created.pop_back();  // so that more digits of a second are later
  out.status = text_at(state, "Status");
  out.health = text_at(object_at(state, "Health"), "Status");
  if (out.health == "none") out.health.clear();
  out.started = text_at(state, "StartedAt");
  out.exit_code = number_at(state, "ExitCode");
  out.oom_killed = flag_at(state, "OOMKilled");
  out.restarts = number_at(from, "RestartCount");
  out.policy = text_at(object_at(object_at(from, "HostConfig"), "RestartPolicy"), "Name");
  out.joins = joins_of(object_at(from, "HostConfig"));
  out.one_off = text_at(labels, "com.docker.compose.oneoff") == "True";
  out.failure = text_at(state, "Error");
  out.secrets = secrets_of(config);
  return out;
}

}  // namespace

bool is_stopped(const ComposeContainer& container) {
  constexpr int by_interrupt = 128 + 2;
  constexpr int by_kill = 128 + 9;
  constexpr int by_term = 128 + 15;
  if (!container.failure.empty() || container.oom_killed || container.restarts > 0) return false;
  if (container.status != "exited") return false;
  const bool always = container.policy == "always" || container.policy == "unless-stopped";
  switch (container.exit_code) {
    case 0:
      return always;
    case by_interrupt:
    case by_kill:
      return always || container.policy == "on-failure";
    case by_term:
      return true;
    default:
      return false;
  }
}

ComposeContainers parse_containers(string_view text) {
  json::error_code error;
  const json::value root = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !root.is_array()) return "docker inspect printed what is no list of containers";
  std::vector<ComposeContainer> out;
  for (const json::value& one : root.get_array()) {
    if (!one.is_object()) return "docker inspect printed what is no container";
    out.push_back(container_from(one.get_object()));
    const ComposeContainer& last = out.back();
    if (last.id.empty() || last.image.empty() || last.status.empty())
      return "docker inspect printed a container without its id, image or state";
  }
  return out;
}

}  // namespace watcher
