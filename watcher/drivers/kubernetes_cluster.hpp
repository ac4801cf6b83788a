#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "probes/net/child.hpp"
#include "watcher/config/config.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/kubernetes_identity.hpp"
#include "watcher/drivers/tool_error.hpp"

namespace watcher {

namespace asio = boost::asio;

using KubernetesError = ToolError;
using KubernetesAnswer = std::variant<std::string, KubernetesError>;
// One or more lists of objects, as JSON.
using KubernetesLists = std::variant<std::vector<std::string>, KubernetesError>;

// What is kept of all that belongs to a Deployment before it is changed.
enum class KubernetesListing {
  pods,          // their conditions, images and ends
  replica_sets,  // what could be gone back to
  events,        // of the namespace
};

enum class KubernetesLogs {
  now,     // of the containers that run
  before,  // of those that ran in their place and ended
};

// What the driver asks of a cluster, about one Deployment. Whoever asks is bounded and never throws for what the
// cluster does.
class KubernetesCluster {
 public:
  // The configuration must outlive it.
  explicit KubernetesCluster(const KubernetesDriver& config) : config_(config) {}
  virtual ~KubernetesCluster() = default;

  const KubernetesDriver& config() const { return config_; }
  // "deployment/web", or with its namespace.
  std::string name() const;
  // What runs. Where it could not be asked, `error` says why.
  asio::awaitable<KubernetesLook> look() const;

  // How it asks, for people: "`kubectl get`".
  virtual std::string how() const = 0;
  // Why nothing can be asked at all, and what to do; empty: it can. Asks nobody.
  virtual std::string why_not_started() const = 0;
  // Why the API would not let us change the Deployment; empty: it would.
  virtual asio::awaitable<std::string> why_not_permitted() const = 0;
  // Gives it a JSON Patch. What may have changed it all the same is not known where that failed.
  virtual asio::awaitable<KubernetesAnswer> patch(std::string document) const = 0;
  // The same cluster in a switch: `started` is told of what may change something, and questions may take longer.
  virtual std::unique_ptr<KubernetesCluster> in_switch(probes::Started started) const = 0;

  // To be asked by whoever keeps evidence.
  virtual EvidenceCommand listing(KubernetesListing what, const std::string& selector, std::string file) const = 0;
  virtual std::vector<EvidenceCommand> logs(const KubernetesPod& pod, KubernetesLogs which) const = 0;

 private:
  virtual asio::awaitable<KubernetesAnswer> deployment() const = 0;
  // The ReplicaSets and Pods with these labels.
  virtual asio::awaitable<KubernetesLists> owned(std::string selector) const = 0;

  const KubernetesDriver& config_;
};

// Of each container, at most.
inline constexpr int kubernetes_log_lines = 2000;

// Through kubectl; where there is none, and nothing is configured that only it understands, through the API with the
// service account of the pod that we run in. The configuration must outlive it.
std::unique_ptr<KubernetesCluster> make_kubernetes_cluster(const KubernetesDriver& config,
                                                           const std::string& state_dir);

}  // namespace watcher
