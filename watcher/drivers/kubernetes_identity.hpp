#pragma once

#include <string>
#include <vector>

#include "watcher/drivers/kubernetes_objects.hpp"

namespace watcher {

// What runs of a Deployment.
struct KubernetesLook {
  std::string error;         // for people; empty: what runs is known
  bool is_changing = false;  // between one and the other: nobody can say yet
  bool differ = false;       // the error is that pods run different ones, and nothing changes that
  std::string revision;
  std::string unfinished;  // what is in place is not what runs, and what to do, for people
  KubernetesDeployment deployment;
  std::vector<KubernetesReplicaSet> sets;
  std::vector<KubernetesPod> pods;
};

// What all ready pods run. Where none is ready, what the newest ones run: a release that ends again and again is still
// what is deployed. `name`: the Deployment's, for people.
KubernetesLook kubernetes_look(KubernetesDeployment deployment, KubernetesOwned owned, const std::string& name);

// Twelve digits of the image's digest (of a hash of them all where there are several), and of the pod template's hash.
// Never a tag: that may be another image tomorrow.
std::string kubernetes_revision(const KubernetesTemplate& pods, const KubernetesPod& pod);
// Its second part, by which a ReplicaSet is found; empty: it is no revision of ours.
std::string template_part(const std::string& revision);
std::string template_part(const KubernetesTemplate& pods);

// The newest ReplicaSet with that template; nullptr: none is kept any more.
const KubernetesReplicaSet* set_with(const std::vector<KubernetesReplicaSet>& sets, const std::string& template_part);

// How far a rollout is, as `kubectl rollout status` has it.
struct KubernetesProgress {
  bool is_done = false;
  std::string awaited;            // what is waited for, for people
  bool is_past_deadline = false;  // Kubernetes itself has given it up
};
KubernetesProgress progress_of(const KubernetesDeployment& deployment);

// What keeps pods of that template from being ready, at most three: "web-7f9c-x: CrashLoopBackOff, exit code 1, 4
// restarts".
std::string trouble_of(const KubernetesLook& look, const std::string& template_part);

// Why the pods must not be replaced by us: one of them is that in which we run. For people; empty: none is.
std::string why_own_pod(const KubernetesLook& look);

}  // namespace watcher
