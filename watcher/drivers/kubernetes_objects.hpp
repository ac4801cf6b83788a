#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace watcher {

// What a cluster says of a Deployment and of what belongs to it, as far as it is of use here.

// A pod template, without what a restart writes into it.
struct KubernetesTemplate {
  std::string json;                     // as it may be given to a Deployment; has values of environments in it
  std::string hash;                     // the same for the same meaning
  std::vector<std::string> containers;  // their names, those of init containers too
  std::vector<std::string> images;      // as they are written, in the same order
};

struct KubernetesDeployment {
  std::string uid;
  std::string selector;  // as kubectl takes it
  KubernetesTemplate pods;
  std::int64_t generation = 0;
  std::int64_t observed = 0;  // the generation that the controller has looked at
  bool paused = false;
  std::int64_t replicas = 1;  // that are wanted
  std::int64_t replicas_there = 0;
  std::int64_t updated = 0;
  std::int64_t available = 0;
  std::int64_t history_limit = 10;
  std::string progress;     // why it is progressing or not: "ProgressDeadlineExceeded"
  std::string progress_at;  // when that was last said
  std::optional<std::string> change_cause;
  std::vector<std::string> managers;  // who else changes it, and what to do, for people
};

struct KubernetesReplicaSet {
  std::string name;
  std::string uid;
  std::int64_t revision = 0;  // its number, which is another one after each rollback
  KubernetesTemplate pods;
  std::optional<std::string> change_cause;
};

struct KubernetesContainer {
  std::string name;
  std::string image_id;  // empty: not pulled yet
  std::string waiting;   // why it does not run: "CrashLoopBackOff"; empty: it does, or has ended
  std::int64_t restarts = 0;
  std::optional<std::int64_t> exit_code;  // of its last end
  std::string ended;                      // why: "OOMKilled"
};

struct KubernetesPod {
  std::string name;
  std::string uid;
  std::string set;  // uid of its ReplicaSet
  bool ready = false;
  bool leaves = false;  // it is being deleted, or has ended
  std::vector<KubernetesContainer> containers;
};

// Of one Deployment.
struct KubernetesOwned {
  std::vector<KubernetesReplicaSet> sets;
  std::vector<KubernetesPod> pods;
};

// Annotations of a pod template that only have its pods made anew.
using RestartAnnotations = std::vector<std::string>;

// The other one: why it is none, for people.
std::variant<KubernetesDeployment, std::string> parse_deployment(std::string_view json, const RestartAnnotations& more);
// From lists of ReplicaSets and Pods those that belong to the Deployment. An item without a kind has its list's.
std::variant<KubernetesOwned, std::string> parse_owned(std::span<const std::string> lists,
                                                       const KubernetesDeployment& deployment,
                                                       const RestartAnnotations& more);

// JSON Patch that gives the Deployment, if it still is of that generation, the template and what it says of the cause.
std::string template_patch(const KubernetesDeployment& deployment, const KubernetesTemplate& pods,
                           const std::optional<std::string>& change_cause);

}  // namespace watcher
