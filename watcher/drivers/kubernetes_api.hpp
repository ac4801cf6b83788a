#pragma once

#include <memory>
#include <string>

#include "watcher/drivers/kubernetes_cluster.hpp"
#include "watcher/drivers/kubernetes_wire.hpp"

namespace watcher {

// Asks and changes one Deployment through the API, from a pod in its cluster.
class KubernetesApi final : public KubernetesCluster {
 public:
  // The configuration must outlive it.
  KubernetesApi(const KubernetesDriver& config, std::shared_ptr<KubernetesWire> wire);

  std::string how() const override;
  std::string why_not_started() const override;
  asio::awaitable<std::string> why_not_permitted() const override;
  asio::awaitable<KubernetesAnswer> patch(std::string document) const override;
  std::unique_ptr<KubernetesCluster> in_switch(probes::Started started) const override;
  EvidenceCommand listing(KubernetesListing what, const std::string& selector, std::string file) const override;
  std::vector<EvidenceCommand> logs(const KubernetesPod& pod, KubernetesLogs which) const override;

 private:
  asio::awaitable<KubernetesAnswer> deployment() const override;
  asio::awaitable<KubernetesLists> owned(std::string selector) const override;

  std::string name_space() const;
  // `below`: "pods", "deployments/web"
  std::string path(const std::string& group, const std::string& below) const;
  KubernetesRequest question(std::string path) const;

  std::shared_ptr<KubernetesWire> wire_;  // shared with evidence that is asked for later
  bool in_switch_ = false;
};

}  // namespace watcher
