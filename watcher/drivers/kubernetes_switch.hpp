#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/kubernetes_cluster.hpp"

namespace watcher {

// Why a Deployment cannot be given the template of that revision now, for people, with what to do; empty: it can.
// `to` empty: whether anything could be gone back to.
std::string why_no_rollout(const KubernetesLook& look, const std::string& name, const std::string& to);

// One switch: the Deployment is given the template of the revision's ReplicaSet, which is what `kubectl rollout undo
// --to-revision` does, unless it was changed since it was looked at; then its rollout is waited for. References must
// outlive it.
class KubernetesSwitch {
 public:
  KubernetesSwitch(const KubernetesCluster& cluster, const probes::Clock& clock, SwitchRequest request);
  asio::awaitable<rules::StepResult> run();
  // Lines for the report.
  const std::vector<std::string>& aftermath() const { return aftermath_; }

 private:
  using MaybeTrouble = std::optional<KubernetesError>;

  asio::awaitable<MaybeTrouble> work();
  asio::awaitable<MaybeTrouble> prepare();
  asio::awaitable<MaybeTrouble> give(KubernetesReplicaSet set);
  asio::awaitable<MaybeTrouble> wait_for(std::string wanted, rules::Instant end);
  asio::awaitable<MaybeTrouble> verify();
  asio::awaitable<void> put_back(KubernetesError& trouble);
  asio::awaitable<bool> pause(rules::Duration length);
  std::string deployment() const { return cluster_.config().deployment; }
  void story(const std::string& line);

  const KubernetesCluster& cluster_;
  const probes::Clock& clock_;
  SwitchRequest request_;
  rules::Instant deadline_;
  KubernetesLook before_;
  std::string left_;    // the template that the Deployment had
  std::string wanted_;  // the one that it is to have
  bool begun_ = false;  // it was changed, or may have been
  bool going_back_ = false;
  std::vector<std::string> aftermath_;
  rules::StepResult result_;
};

}  // namespace watcher
