#pragma once

#include <optional>
#include <string>

#include "watcher/config/drivers.hpp"

namespace watcher {

// The service account of the pod that we run in: where its API is, and in which folder Kubernetes keeps its token,
// which it exchanges every hour.
struct KubernetesAccount {
  std::string authority;  // "10.96.0.1:443", "[fd00::1]:443"
  std::string folder;     // with `token`, `ca.crt` and `namespace`

  std::string ca_file() const { return folder + "/ca.crt"; }
  // Of now; empty: it cannot be read, or is none.
  std::string token() const;
  std::string name_space() const;
  // Why it is of no use, and what to do, for people; empty: it is. Asks nobody.
  std::string why_not() const;
};

// nullopt: we run in no pod.
std::optional<KubernetesAccount> pod_account();

// The account, where there is no kubectl and nothing is configured that only kubectl understands: itself, a
// kubeconfig, a context, a user. nullopt: it is kubectl's.
std::optional<KubernetesAccount> account_instead_of_kubectl(const KubernetesDriver& config);

}  // namespace watcher
