#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "probes/net/http_client.hpp"
#include "probes/net/resolver.hpp"
#include "rules/base/fault.hpp"
#include "rules/base/time.hpp"
#include "watcher/drivers/kubernetes_account.hpp"
#include "watcher/drivers/kubernetes_cluster.hpp"

namespace watcher {

// One request to the API server.
struct KubernetesRequest {
  std::string method = "GET";
  std::string path;  // with its query
  std::string body{};
  std::string content_type{};
  rules::Duration limit{};
  std::int64_t answer_max = 0;  // bytes
  int tries = 1;                // where the server says that it has no time, or that it was changed meanwhile
};

// Asks the API server of the pod's cluster, whose certificate is checked, with the token of that moment. Every request
// has a connection of its own; nothing is redirected.
class KubernetesWire {
 public:
  explicit KubernetesWire(KubernetesAccount account) : account_(std::move(account)) {}

  const KubernetesAccount& account() const { return account_; }
  // What was answered with a status of 2xx. The wire is kept until then.
  static asio::awaitable<KubernetesAnswer> ask(std::shared_ptr<KubernetesWire> wire, KubernetesRequest request);

 private:
  asio::awaitable<std::variant<probes::HttpReply, rules::Fault>> once(const KubernetesRequest& request);

  KubernetesAccount account_;
  probes::Resolver resolver_;
};

// What an answer that is not 2xx means, with what to do: "patch deployments/shop: deployments.apps \"shop\" is
// forbidden: ...; do grant it".
KubernetesError kubernetes_refusal(const std::string& asked, unsigned status, std::string_view body);
// The same where there was none.
KubernetesError kubernetes_fault(const std::string& asked, const rules::Fault& fault);

}  // namespace watcher
