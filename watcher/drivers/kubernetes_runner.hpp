#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probes/net/child.hpp"
#include "watcher/drivers/kubernetes_cluster.hpp"

namespace watcher {

// Asks and changes one Deployment through kubectl. The configuration must outlive it.
class KubernetesRunner final : public KubernetesCluster {
 public:
  // `started` is told of what may change something; empty: nobody wants to know. Who wants to know is in a switch,
  // where questions may take longer.
  KubernetesRunner(const KubernetesDriver& config, const std::string& state_dir, probes::Started started);

  std::string how() const override { return "`kubectl get`"; }
  std::string why_not_started() const override;
  asio::awaitable<std::string> why_not_permitted() const override;
  asio::awaitable<KubernetesAnswer> patch(std::string document) const override;
  std::unique_ptr<KubernetesCluster> in_switch(probes::Started started) const override;
  EvidenceCommand listing(KubernetesListing what, const std::string& selector, std::string file) const override;
  std::vector<EvidenceCommand> logs(const KubernetesPod& pod, KubernetesLogs which) const override;

 private:
  asio::awaitable<KubernetesAnswer> deployment() const override;
  asio::awaitable<KubernetesLists> owned(std::string selector) const override;

  // `kubectl WORDS` of the right cluster and namespace.
  probes::ChildSpec plain(std::vector<std::string> words, rules::Duration limit) const;
  asio::awaitable<KubernetesAnswer> ask(std::vector<std::string> words) const;
  KubernetesError error_of(const probes::ChildSpec& spec, const probes::ChildResult& child) const;
  std::string advice_for(std::string_view said) const;

  std::string state_dir_;
  std::string cache_dir_;
  probes::Started started_;
};

}  // namespace watcher
