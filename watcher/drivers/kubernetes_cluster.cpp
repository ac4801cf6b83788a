#include "watcher/drivers/kubernetes_cluster.hpp"

#include <utility>

#include "watcher/drivers/kubernetes_account.hpp"
#include "watcher/drivers/kubernetes_api.hpp"
#include "watcher/drivers/kubernetes_runner.hpp"

namespace watcher {

std::string KubernetesCluster::name() const {
  return "deployment/" + config_.deployment + (config_.name_space.empty() ? "" : " in " + config_.name_space);
}

asio::awaitable<KubernetesLook> KubernetesCluster::look() const {
  KubernetesLook look;
  const KubernetesAnswer told = co_await deployment();
  if (const auto* const error = std::get_if<KubernetesError>(&told)) look.error = error->what;
  if (!look.error.empty()) co_return look;
  auto parsed = parse_deployment(std::get<std::string>(told), config_.restart_annotations);
  if (const auto* const why = std::get_if<std::string>(&parsed)) look.error = name() + ": " + *why;
  if (!look.error.empty()) co_return look;
  KubernetesDeployment deployment = std::get<KubernetesDeployment>(std::move(parsed));
  const KubernetesLists listed = co_await owned(deployment.selector);
  if (const auto* const error = std::get_if<KubernetesError>(&listed)) look.error = error->what;
  if (!look.error.empty()) co_return look;
  const auto& lists = std::get<std::vector<std::string>>(listed);
  auto all = parse_owned(lists, deployment, config_.restart_annotations);
  if (const auto* const why = std::get_if<std::string>(&all)) look.error = name() + ": " + *why;
  if (!look.error.empty()) co_return look;
  co_return kubernetes_look(std::move(deployment), std::get<KubernetesOwned>(std::move(all)), config_.deployment);
}

std::unique_ptr<KubernetesCluster> make_kubernetes_cluster(const KubernetesDriver& config,
                                                           const std::string& state_dir) {
  if (auto account = account_instead_of_kubectl(config))
    return std::make_unique<KubernetesApi>(config, std::make_shared<KubernetesWire>(*std::move(account)));
  return std::make_unique<KubernetesRunner>(config, state_dir, probes::Started());
}

}  // namespace watcher
