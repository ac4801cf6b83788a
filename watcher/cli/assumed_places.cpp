#include "watcher/cli/assumed_places.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <set>

#include "watcher/drivers/kubernetes_account.hpp"

// What a service's driver takes where the configuration does not name it, and places that it names and nobody has.

namespace watcher {

namespace {

using Kind = OnlineFinding::Kind;

// What may not be looked at may be there.
bool is_missing(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

std::string named_deployment(const rules::ServiceName& service, const KubernetesDriver& driver) {
  std::string text = "switches the Deployment " + (driver.deployment.empty() ? service.text : driver.deployment);
  if (driver.deployment.empty()) text += " (the service's name; say another as deployment = \"...\")";
  return text;
}

std::string place_of_account(const KubernetesDriver& driver, const KubernetesAccount& account) {
  const std::string name_space = driver.name_space.empty() ? account.name_space() : driver.name_space;
  return ", in the namespace " + name_space + ", through the API at " + account.authority +
         " with the service account of this pod: there is no kubectl";
}

std::string place_of_kubectl(const KubernetesDriver& driver) {
  std::string text =
      driver.name_space.empty() ? ", in the namespace of " : ", in the namespace " + driver.name_space + ", of ";
  text += driver.context.empty() ? "the current context" : "the context " + driver.context;
  if (driver.kubeconfig.empty())
    text += " of the kubeconfig that kubectl finds, or of the pod's service account";
  else
    text += " of " + driver.kubeconfig;
  return text;
}

std::string deployment_of(const rules::ServiceName& service, const KubernetesDriver& driver) {
  const std::optional<KubernetesAccount> account = account_instead_of_kubectl(driver);
  return named_deployment(service, driver) + (account ? place_of_account(driver, *account) : place_of_kubectl(driver));
}

const KubernetesDriver* kubernetes_of(const DriverKind& driver) {
  for (const DriverKind* const one : each_of(driver)) {
    if (const auto* const found = std::get_if<KubernetesDriver>(one)) return found;
  }
  return nullptr;
}

struct Dir {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const auto& driver) const { return driver.dir; }
};

}  // namespace

std::vector<OnlineFinding> assumed_places(const Config& config) {
  std::vector<OnlineFinding> out;
  for (const DriverSection& section : config.drivers) {
    const std::string subject = "service " + section.service.text;
    std::set<std::string> dirs{section.dir};
    for (const DriverKind* const one : each_of(section.driver)) dirs.insert(std::visit(Dir(), *one));
    for (const std::string& dir : dirs) {
      if (!dir.empty() && is_missing(dir))
        out.push_back({Kind::advice, subject,
                       "its folder " + dir + " is not there: nothing of it could be run; make it, or correct dir"});
    }
    const KubernetesDriver* const driver = kubernetes_of(section.driver);
    if (driver == nullptr) continue;
    out.push_back({Kind::fine, subject, deployment_of(section.service, *driver)});
    if (!driver->kubeconfig.empty() && is_missing(driver->kubeconfig))
      out.push_back({Kind::advice, subject,
                     "its kubeconfig " + driver->kubeconfig +
                         " is not there; make it, or leave it out in a pod that has a service account"});
  }
  return out;
}

}  // namespace watcher
