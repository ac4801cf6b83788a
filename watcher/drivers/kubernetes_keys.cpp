#include <array>
#include <string_view>

#include "probes/key_rows.hpp"
#include "probes/net/user.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/drivers/kubernetes_account.hpp"
#include "watcher/drivers/kubernetes_driver.hpp"

namespace watcher {

namespace {

using probes::key;
using probes::Kind;

// As Kubernetes has them: it stands in command lines.
std::string wrong_name(const std::string& name) {
  constexpr std::size_t longest = 253;
  const bool right = !name.empty() && name.size() <= longest && name.front() != '-' && name.front() != '.' &&
                     name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos;
  return right ? "" : "\"" + name + "\" is no name of Kubernetes; it has small letters, digits, - and .";
}

std::string wrong_context(const std::string& name) {
  return name.empty() ? "is empty; leave it out, and the current one is taken" : "";
}

constexpr std::array keys{
    key<Kind::string, &KubernetesDriver::deployment>("deployment", "The Deployment's name.")
        .checked(wrong_name)
        .when_left_out("the service's name"),
    key<Kind::string, &KubernetesDriver::name_space>("namespace", "The namespace that it is in.")
        .checked(wrong_name)
        .when_left_out("that of the context, or of the pod"),
    key<Kind::string, &KubernetesDriver::context>("context", "The context of the kubeconfig.")
        .checked(wrong_context)
        .when_left_out("the current one"),
    key<Kind::path, &KubernetesDriver::kubeconfig>("kubeconfig",
                                                   "The file that says where the cluster is, and as whom.")
        .when_left_out("the one that kubectl finds, or the pod's service account"),
    key<Kind::argv, &KubernetesDriver::kubectl>("kubectl", "How kubectl is run.")
        .when_left_out("[\"kubectl\"]; in a pod without one the API is asked, with the pod's service account"),
    key<Kind::string, &KubernetesDriver::user>("user", "The user that kubectl runs as.")
        .checked(probes::wrong_user)
        .when_left_out("rollbackd's own"),
    key<Kind::strings, &KubernetesDriver::restart_annotations>(
        "restart_annotations",
        "Annotations of the pod template, besides kubectl's and Rancher's, that only have pods made anew.")
        .when_left_out("none"),
    key<Kind::duration, &KubernetesDriver::rollout_timeout>("rollout_timeout", "How long a rollout may take.")
        .at_least(std::chrono::seconds(1)),
};

void settle(void*, probes::Given& given) { refuse_commands(given, "kubernetes"); }

}  // namespace

probes::Variety KubernetesDriver::variety() {
  return probes::variety<DriverKind, KubernetesDriver>(
      "kubernetes", "A Deployment is given the pod template that it had.", keys, settle);
}

std::unique_ptr<Driver> KubernetesDriver::make(const DriverSection& section, const std::string& state_dir,
                                               const probes::Clock& clock) const {
  return make_kubernetes_driver(section.service, *this, section.timeout, state_dir, clock);
}

std::vector<NamedCommand> KubernetesDriver::commands(const std::string& owner) const {
  if (!kubectl.empty()) return {{owner + ".kubectl", kubectl, whom()}};
  if (account_instead_of_kubectl(*this)) return {};
  return {{owner + ".kubectl", {"kubectl"}, whom()}};
}

std::vector<Ground> KubernetesDriver::grounds(const rules::ServiceName& service) const {
  const std::string name = deployment.empty() ? service.text : deployment;
  return {{"Deployments of " + kubeconfig + "\n" + context + "\n" + name_space, name, Ground::Extent::alone,
           "the Deployment " + name, "name in deployment what each of them is",
           "name in deployment what each of them is"}};
}

}  // namespace watcher
