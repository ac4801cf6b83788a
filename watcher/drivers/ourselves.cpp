#include "watcher/drivers/ourselves.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace watcher {

namespace {

constexpr std::string_view unit_ending = ".service";
constexpr std::array<std::string_view, 2> usual_units{"rollbackd.service", "rollbackd-runner.service"};

std::string text_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

// The innermost unit counts: a service of a user's manager lies below that manager's own.
std::string unit_in(std::string_view cgroups) {
  while (!cgroups.empty()) {
    std::string_view line = cgroups.substr(0, cgroups.find('\n'));
    cgroups.remove_prefix(std::min(line.size() + 1, cgroups.size()));
    const bool is_systemd_s = line.starts_with("0::") || line.find(":name=systemd:") != line.npos;
    while (is_systemd_s && !line.empty()) {
      const std::size_t slash = line.rfind('/');
      const std::string_view name = slash == line.npos ? std::string_view() : line.substr(slash + 1);
      if (name.ends_with(unit_ending)) return std::string(name);
      line = line.substr(0, slash == line.npos ? 0 : slash);
    }
  }
  return {};
}

std::string container_in(std::string_view text) {
  constexpr std::size_t id_size = 64;  // hexadecimal digits
  for (const std::string_view before : {"/docker/containers/", "/docker/", "/docker-"}) {
    for (std::size_t at = text.find(before); at != text.npos; at = text.find(before, at + 1)) {
      const std::string_view id = text.substr(at + before.size(), id_size);
      if (id.size() == id_size && id.find_first_not_of("0123456789abcdef") == id.npos) return std::string(id);
    }
  }
  return {};
}

std::string own_container() {
  std::string out = container_in(text_of("/proc/self/cgroup"));
  // With a control group namespace of its own the container shows in what is mounted over its /etc/hostname.
  if (out.empty()) out = container_in(text_of("/proc/self/mountinfo"));
  return out;
}

std::string pod_in(std::string_view text) {
  constexpr std::size_t uid_size = 36;  // digits and dashes
  // systemd's control groups have a low line where a uid has a dash.
  for (const std::string_view before : {"/pods/", "/pod", "-pod"}) {
    for (std::size_t at = text.find(before); at != text.npos; at = text.find(before, at + 1)) {
      std::string uid(text.substr(at + before.size(), uid_size));
      std::replace(uid.begin(), uid.end(), '_', '-');
      const bool is_uid = uid.size() == uid_size && uid.find_first_not_of("0123456789abcdef-") == uid.npos &&
                          uid[8] == '-' && uid[13] == '-' && uid[18] == '-' && uid[23] == '-';
      if (is_uid) return uid;
    }
  }
  return {};
}

std::string own_pod() {
  std::string out = pod_in(text_of("/proc/self/cgroup"));
  if (!out.empty()) return out;
  // With a control group namespace of its own the pod shows in what is mounted over its /etc/hosts. Its node has the
  // files of all pods mounted, but not there.
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; out.empty() && std::getline(mounts, line);) {
    if (line.find(" /etc/hosts ") != line.npos) out = pod_in(line);
  }
  return out;
}

bool is_own_unit(std::string name) {
  if (!name.ends_with(unit_ending)) name += unit_ending;
  const bool is_usual = std::find(usual_units.begin(), usual_units.end(), name) != usual_units.end();
  return is_usual || name == unit_in(text_of("/proc/self/cgroup"));
}

std::string own_pod_name() {
  const char* const in_cluster = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* const host = std::getenv("HOSTNAME");
  return in_cluster == nullptr || host == nullptr ? "" : host;
}

// A pod is called by its Deployment, a hash of its template, and a word of its own.
bool is_own_workload(std::string name) {
  std::string own = own_pod_name();
  if (own.empty()) return false;
  name.erase(0, name.rfind('/') + 1);
  if (name == own) return true;
  for (int i = 0; i < 2; ++i) own.resize(std::min(own.rfind('-'), own.size()));
  return !own.empty() && name == own;
}

std::string why_own_units(const std::vector<std::string>& units) {
  const auto own = std::find_if(units.begin(), units.end(), is_own_unit);
  if (own == units.end()) return {};
  return *own + " is the unit that rollbackd runs in: its restart would end the rollback in the middle; do name the " +
         "application's unit";
}

}  // namespace watcher
