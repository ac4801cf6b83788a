#include "watcher/drivers/kubernetes_identity.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/ourselves.hpp"

namespace watcher {

namespace {

constexpr std::size_t digits = 12;
constexpr std::string_view past_deadline = "ProgressDeadlineExceeded";
constexpr std::string_view unpulled = "unpulled";
// It is not only on its way.
constexpr std::array<std::string_view, 7> no_image{
    "ErrImagePull",      "ImagePullBackOff",           "InvalidImageName",   "ErrImageNeverPull",
    "ImageInspectError", "CreateContainerConfigError", "RegistryUnavailable"};

// The sha256 at the end of "docker.io/library/shop@sha256:..." or "docker://sha256:..."; else all of it.
std::string digest_of(const std::string& image_id) {
  constexpr std::string_view algorithm = "sha256:";
  const std::size_t at = image_id.rfind(algorithm);
  return at == std::string::npos ? image_id : image_id.substr(at + algorithm.size());
}

const KubernetesContainer* container_called(const KubernetesPod& pod, const std::string& name) {
  const auto found = std::find_if(pod.containers.begin(), pod.containers.end(),
                                  [&](const KubernetesContainer& one) { return one.name == name; });
  return found == pod.containers.end() ? nullptr : &*found;
}

bool has_all_images(const KubernetesTemplate& pods, const KubernetesPod& pod) {
  return std::all_of(pods.containers.begin(), pods.containers.end(), [&](const std::string& name) {
    const KubernetesContainer* const container = container_called(pod, name);
    return container != nullptr && !container->image_id.empty();
  });
}

bool lacks_image(const KubernetesPod& pod) {
  return std::any_of(pod.containers.begin(), pod.containers.end(), [](const KubernetesContainer& one) {
    return std::find(no_image.begin(), no_image.end(), one.waiting) != no_image.end();
  });
}

const KubernetesReplicaSet* set_of(const KubernetesLook& look, const KubernetesPod& pod) {
  const auto found =
      std::find_if(look.sets.begin(), look.sets.end(), [&](const auto& set) { return set.uid == pod.set; });
  return found == look.sets.end() ? nullptr : &*found;
}

// What runs, and how many pods say so.
using Running = std::map<std::string, int>;

std::string several(const Running& running) {
  std::string out;
  for (const auto& [revision, count] : running)
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " of " + revision;
  return out;
}

Running of_ready_pods(const KubernetesLook& look) {
  Running out;
  for (const KubernetesPod& pod : look.pods) {
    const KubernetesReplicaSet* const set = set_of(look, pod);
    if (pod.ready && set != nullptr) ++out[kubernetes_revision(set->pods, pod)];
  }
  return out;
}

// Of those of the Deployment's own template whose images are known, or will not be.
Running of_newest_pods(const KubernetesLook& look) {
  Running out;
  const std::string newest = template_part(look.deployment.pods);
  for (const KubernetesPod& pod : look.pods) {
    const KubernetesReplicaSet* const set = set_of(look, pod);
    if (pod.leaves || set == nullptr || template_part(set->pods) != newest) continue;
    if (has_all_images(set->pods, pod) || lacks_image(pod)) ++out[kubernetes_revision(set->pods, pod)];
  }
  return out;
}

// None is ready.
void look_at_newest(KubernetesLook& look, const std::string& name) {
  const Running newest = of_newest_pods(look);
  if (newest.size() == 1) {
    look.revision = newest.begin()->first;
  } else if (newest.empty()) {
    look.is_changing = true;
    look.error = look.deployment.replicas == 0 ? name + " is scaled to 0: nothing of it runs"
                                               : name + " has no pod that has begun to run";
  } else {
    look.error = "the pods of " + name + " run different images: " + several(newest);
    look.differ = true;
  }
}

void look_at_ready(KubernetesLook& look, const Running& ready, const KubernetesProgress& progress,
                   const std::string& name) {
  const bool is_going_on = !progress.is_done && !progress.is_past_deadline && !look.deployment.paused;
  const std::string newest = template_part(look.deployment.pods);
  const bool agree = ready.size() == 1;
  const bool is_newest = agree && template_part(ready.begin()->first) == newest;
  if (is_newest) {
    look.revision = ready.begin()->first;
    return;
  }
  if (is_going_on) {
    look.is_changing = true;
    look.error = "a rollout of " + name + " is going on: " + progress.awaited;
    return;
  }
  const std::string trouble = trouble_of(look, newest);
  const std::string stuck = name + (look.deployment.paused ? " is paused" : " is stuck in a rollout") +
                            (trouble.empty() ? "" : " (" + trouble + ")") + "; do kubectl rollout " +
                            (look.deployment.paused ? "resume" : "undo") + " deployment/" + name;
  if (!agree) {
    look.error = "the ready pods of " + name + " do not agree: " + several(ready) + "; " + stuck;
    look.differ = true;
    return;
  }
  look.revision = ready.begin()->first;
  look.unfinished =
      "all ready pods run " + look.revision + ", which is not the Deployment's template any more: " + stuck;
}

}  // namespace

std::string template_part(const KubernetesTemplate& pods) { return pods.hash.substr(0, digits); }

std::string template_part(const std::string& revision) {
  const std::size_t dash = revision.rfind('-');
  if (dash == std::string::npos) return {};
  std::string part = revision.substr(dash + 1);
  const bool is_right = part.size() == digits && part.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_right ? part : "";
}

std::string kubernetes_revision(const KubernetesTemplate& pods, const KubernetesPod& pod) {
  std::string all;
  std::string last;
  for (const std::string& name : pods.containers) {
    const KubernetesContainer* const container = container_called(pod, name);
    last = container == nullptr || container->image_id.empty() ? "" : digest_of(container->image_id);
    if (last.empty()) return std::string(unpulled) + "-" + template_part(pods);
    all += name + "=" + last + "\n";
  }
  const bool is_plain = pods.containers.size() == 1 && last.find_first_not_of("0123456789abcdef") == std::string::npos;
  return (is_plain ? last : sha256_hex(all)).substr(0, digits) + "-" + template_part(pods);
}

const KubernetesReplicaSet* set_with(const std::vector<KubernetesReplicaSet>& sets, const std::string& part) {
  const KubernetesReplicaSet* newest = nullptr;
  for (const KubernetesReplicaSet& set : sets) {
    const bool is_it = template_part(set.pods) == part;
    if (is_it && (newest == nullptr || set.revision > newest->revision)) newest = &set;
  }
  return newest;
}

KubernetesProgress progress_of(const KubernetesDeployment& deployment) {
  KubernetesProgress out;
  const auto of_all = [&](std::int64_t count, const char* what) {
    out.awaited = std::to_string(count) + " of " + std::to_string(deployment.replicas) + what;
  };
  if (deployment.observed < deployment.generation) {
    out.awaited = "the Deployment's controller has not looked at it yet";
    return out;
  }
  out.is_past_deadline = deployment.progress == past_deadline;
  if (deployment.updated < deployment.replicas)
    of_all(deployment.updated, " pods are of the new template");
  else if (deployment.replicas_there > deployment.updated)
    out.awaited = std::to_string(deployment.replicas_there - deployment.updated) + " old pods are still there";
  else if (deployment.available < deployment.updated)
    of_all(deployment.available, " pods are available");
  out.is_done = out.awaited.empty();
  if (out.is_done) out.is_past_deadline = false;
  return out;
}

KubernetesLook kubernetes_look(KubernetesDeployment deployment, KubernetesOwned owned, const std::string& name) {
  KubernetesLook look;
  look.deployment = std::move(deployment);
  look.sets = std::move(owned.sets);
  look.pods = std::move(owned.pods);
  const Running ready = of_ready_pods(look);
  if (ready.empty())
    look_at_newest(look, name);
  else
    look_at_ready(look, ready, progress_of(look.deployment), name);
  return look;
}

std::string trouble_of(const KubernetesLook& look, const std::string& part) {
  constexpr int shown_max = 3;
  std::string out;
  int shown = 0;
  for (const KubernetesPod& pod : look.pods) {
    const KubernetesReplicaSet* const set = set_of(look, pod);
    if (pod.ready || pod.leaves || set == nullptr || template_part(set->pods) != part) continue;
    for (const KubernetesContainer& one : pod.containers) {
      const bool is_news = !one.waiting.empty() || one.restarts > 0;
      if (!is_news || shown == shown_max) continue;
      ++shown;
      out += (out.empty() ? "" : "; ") + pod.name + ": " + (one.waiting.empty() ? "restarts" : one.waiting);
      if (!one.ended.empty()) out += ", " + one.ended;
      if (one.exit_code) out += ", exit code " + std::to_string(*one.exit_code);
      if (one.restarts > 0) out += ", " + std::to_string(one.restarts) + " restarts";
    }
  }
  return out;
}

std::string why_own_pod(const KubernetesLook& look) {
  const std::string own = own_pod();
  // Where the kernel does not say which pod this is, its host's name does.
  const std::string named = own.empty() ? own_pod_name() : "";
  for (const KubernetesPod& pod : look.pods) {
    const bool is_own = (!own.empty() && pod.uid == own) || (!named.empty() && pod.name == named);
    if (is_own)
      return pod.name + " is the pod that rollbackd runs in: its end would end the rollback in the middle; do run " +
             "rollbackd as a Deployment of its own";
  }
  return {};
}

}  // namespace watcher
