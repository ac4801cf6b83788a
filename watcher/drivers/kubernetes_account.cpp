#include "watcher/drivers/kubernetes_account.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "probes/net/descriptor.hpp"
#include "probes/net/tls.hpp"
#include "probes/parse/number.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

// Where Kubernetes puts it. Tests have another.
constexpr const char* usual_folder = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr const char* folder_variable = "ROLLBACKD_SERVICE_ACCOUNT";
constexpr std::size_t file_max = 64 * 1024;  // bytes; a token has about one KiB

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Empty as well when it is larger than one that Kubernetes makes. Its links are Kubernetes' own.
std::string content_of(const std::string& path) {
  const probes::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return {};
  std::string content(file_max, '\0');
  const ssize_t length = ::read(file.number(), content.data(), content.size());
  const bool is_whole = length > 0 && static_cast<std::size_t>(length) < file_max;
  content.resize(is_whole ? static_cast<std::size_t>(length) : 0);
  return std::string(probes::trimmed(content));
}

// As it may stand in a header.
bool is_visible(char c) { return c > ' ' && c <= '~'; }

// As it may stand in a path.
bool is_of_name(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

// What kubectl would take, had we one.
bool has_kubeconfig() {
  const std::string home = variable("HOME");
  return !variable("KUBECONFIG").empty() || (!home.empty() && ::access((home + "/.kube/config").c_str(), F_OK) == 0);
}

}  // namespace

std::string KubernetesAccount::token() const {
  std::string text = content_of(folder + "/token");
  return std::all_of(text.begin(), text.end(), is_visible) ? text : std::string();
}

std::string KubernetesAccount::name_space() const {
  std::string text = content_of(folder + "/namespace");
  return std::all_of(text.begin(), text.end(), is_of_name) ? text : std::string();
}

std::string KubernetesAccount::why_not() const {
  for (const char* const name : {"/token", "/ca.crt"}) {
    if (const auto unsafe = changed_by_others(folder + name, {}))
      return "other users could change the pod's service account: " + *unsafe;
  }
  if (token().empty())
    return folder + "/token cannot be read, or is none; do give the pod a service account that has one " +
           "(automountServiceAccountToken), or kubectl";
  std::string wrong = probes::wrong_ca_file(ca_file());
  return wrong.empty() ? wrong : "the pod's service account: " + wrong;
}

std::optional<KubernetesAccount> pod_account() {
  const std::string host = variable("KUBERNETES_SERVICE_HOST");
  const std::string port = variable("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) return std::nullopt;
  const std::string folder = variable(folder_variable);
  const bool is_bare_ipv6 = host.find(':') != std::string::npos && host.front() != '[';
  return KubernetesAccount{(is_bare_ipv6 ? "[" + host + "]" : host) + ":" + port,
                           folder.empty() ? usual_folder : folder};
}

std::optional<KubernetesAccount> account_instead_of_kubectl(const KubernetesDriver& config) {
  const bool is_kubectl_s =
      !config.kubectl.empty() || !config.kubeconfig.empty() || !config.context.empty() || !config.user.empty();
  if (is_kubectl_s || find_command("kubectl") || has_kubeconfig()) return std::nullopt;
  return pod_account();
}

}  // namespace watcher
