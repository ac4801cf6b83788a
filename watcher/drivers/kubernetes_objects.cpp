#include "watcher/drivers/kubernetes_objects.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <utility>

#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/json_order.hpp"

namespace watcher {

namespace json = boost::json;

namespace {

using std::string_view;

constexpr string_view hash_label = "pod-template-hash";
constexpr string_view revision_annotation = "deployment.kubernetes.io/revision";
constexpr string_view cause_annotation = "kubernetes.io/change-cause";
constexpr std::array<string_view, 2> usual_restarts{"kubectl.kubernetes.io/restartedAt", "cattle.io/timestamp"};

const json::object& object_at(const json::object& from, string_view name) {
  static const json::object none;
  const json::value* const value = from.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

const json::array& array_at(const json::object& from, string_view name) {
  static const json::array none;
  const json::value* const value = from.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

const json::object& object_of(const json::value& value) {
  static const json::object none;
  return value.is_object() ? value.get_object() : none;
}

std::optional<std::string> said_at(const json::object& from, string_view name) {
  const json::value* const value = from.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::string text_at(const json::object& from, string_view name) { return said_at(from, name).value_or(""); }

std::int64_t number_at(const json::object& from, string_view name, std::int64_t otherwise) {
  const json::value* const value = from.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : otherwise;
}

bool flag_at(const json::object& from, string_view name) {
  const json::value* const value = from.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string in_order(const json::value& value) {
  return watcher::in_order(value, [](const json::value& one) { return one.is_null(); });
}

void drop(json::object& from, string_view map, string_view name) {
  json::value* const value = from.if_contains(map);
  if (value == nullptr || !value->is_object()) return;
  value->get_object().erase(name);
  if (value->get_object().empty()) from.erase(map);
}

KubernetesTemplate template_of(const json::object& spec, const RestartAnnotations& more) {
  KubernetesTemplate out;
  json::object whole = object_at(spec, "template");
  json::value* const metadata = whole.if_contains("metadata");
  if (metadata != nullptr && metadata->is_object()) drop(metadata->get_object(), "labels", hash_label);
  out.json = json::serialize(whole);
  if (metadata != nullptr && metadata->is_object()) {
    for (const string_view name : usual_restarts) drop(metadata->get_object(), "annotations", name);
    for (const std::string& name : more) drop(metadata->get_object(), "annotations", name);
  }
  out.hash = sha256_hex(in_order(whole));
  const json::object& pod = object_at(whole, "spec");
  for (const string_view list : {"containers", "initContainers"}) {
    for (const json::value& one : array_at(pod, list)) {
      out.containers.push_back(text_at(object_of(one), "name"));
      out.images.push_back(text_at(object_of(one), "image"));
    }
  }
  return out;
}

std::string selector_of(const json::object& spec) {
  std::string out;
  const auto add = [&out](const std::string& part) { out += (out.empty() ? "" : ",") + part; };
  const json::object& selector = object_at(spec, "selector");
  for (const auto& one : object_at(selector, "matchLabels")) {
    const std::string value = one.value().is_string() ? std::string(one.value().get_string()) : "";
    add(std::string(one.key()) + "=" + value);
  }
  for (const json::value& one : array_at(selector, "matchExpressions")) {
    const json::object& expression = object_of(one);
    const std::string how = text_at(expression, "operator");
    const std::string key = text_at(expression, "key");
    std::string values;
    for (const json::value& value : array_at(expression, "values"))
      values += (values.empty() ? "" : ",") + (value.is_string() ? std::string(value.get_string()) : "");
    if (how == "Exists") add(key);
    if (how == "DoesNotExist") add("!" + key);
    if (how == "In") add(key + " in (" + values + ")");
    if (how == "NotIn") add(key + " notin (" + values + ")");
  }
  return out;
}

// Who would put back what we take away.
std::vector<std::string> managers_of(const json::object& metadata) {
  std::vector<std::string> out;
  const json::object& labels = object_at(metadata, "labels");
  const json::object& annotations = object_at(metadata, "annotations");
  const auto is_there = [](const json::object& in, string_view name) { return in.contains(name); };
  if (is_there(labels, "argocd.argoproj.io/instance") || is_there(annotations, "argocd.argoproj.io/tracking-id"))
    out.emplace_back("Argo CD keeps it as git has it: with self-healing it puts a bad release back within minutes");
  if (is_there(labels, "kustomize.toolkit.fluxcd.io/name") || is_there(labels, "helm.toolkit.fluxcd.io/name"))
    out.emplace_back("Flux keeps it as git has it, and puts a bad release back when it reconciles next");
  else if (text_at(labels, "app.kubernetes.io/managed-by") == "Helm" ||
           is_there(annotations, "meta.helm.sh/release-name"))
    out.emplace_back(
        "Helm installed it, and does not know of a rollback: its next upgrade compares with its own release");
  for (const json::value& owner : array_at(metadata, "ownerReferences")) {
    if (flag_at(object_of(owner), "controller"))
      out.push_back(text_at(object_of(owner), "kind") + " " + text_at(object_of(owner), "name") +
                    " owns it, and may put back what is changed");
  }
  return out;
}

std::int64_t revision_of(const json::object& metadata) {
  const std::string text = text_at(object_at(metadata, "annotations"), revision_annotation);
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::string owner_of(const json::object& metadata) {
  for (const json::value& owner : array_at(metadata, "ownerReferences")) {
    if (flag_at(object_of(owner), "controller")) return text_at(object_of(owner), "uid");
  }
  return {};
}

KubernetesContainer container_of(const json::object& status) {
  KubernetesContainer out;
  out.name = text_at(status, "name");
  out.image_id = text_at(status, "imageID");
  out.restarts = number_at(status, "restartCount", 0);
  out.waiting = text_at(object_at(object_at(status, "state"), "waiting"), "reason");
  for (const string_view state : {"state", "lastState"}) {
    const json::object& ended = object_at(object_at(status, state), "terminated");
    if (ended.empty()) continue;
    out.exit_code = number_at(ended, "exitCode", 0);
    out.ended = text_at(ended, "reason");
    break;
  }
  return out;
}

KubernetesPod pod_of(const json::object& whole) {
  KubernetesPod out;
  const json::object& metadata = object_at(whole, "metadata");
  const json::object& status = object_at(whole, "status");
  out.name = text_at(metadata, "name");
  out.uid = text_at(metadata, "uid");
  out.set = owner_of(metadata);
  const std::string phase = text_at(status, "phase");
  out.leaves = metadata.contains("deletionTimestamp") || phase == "Failed" || phase == "Succeeded";
  for (const json::value& one : array_at(status, "conditions")) {
    const json::object& condition = object_of(one);
    if (text_at(condition, "type") == "Ready") out.ready = text_at(condition, "status") == "True" && !out.leaves;
  }
  for (const string_view list : {"containerStatuses", "initContainerStatuses"}) {
    for (const json::value& one : array_at(status, list)) out.containers.push_back(container_of(object_of(one)));
  }
  return out;
}

KubernetesReplicaSet set_of(const json::object& item, const RestartAnnotations& more) {
  KubernetesReplicaSet set;
  const json::object& metadata = object_at(item, "metadata");
  set.name = text_at(metadata, "name");
  set.uid = text_at(metadata, "uid");
  set.revision = revision_of(metadata);
  set.pods = template_of(object_at(item, "spec"), more);
  set.change_cause = said_at(object_at(metadata, "annotations"), cause_annotation);
  return set;
}

// kubectl gives each item its kind, the API the list alone: "PodList".
std::string kind_of_items(const json::object& list) {
  constexpr string_view ending = "List";
  std::string kind = text_at(list, "kind");
  if (kind.ends_with(ending)) kind.resize(kind.size() - ending.size());
  return kind;
}

void add_owned(KubernetesOwned& out, const json::object& item, const std::string& kind_of_list,
               const std::string& deployment, const RestartAnnotations& more) {
  const std::string kind = said_at(item, "kind").value_or(kind_of_list);
  if (kind == "Pod") out.pods.push_back(pod_of(item));
  const bool is_ours = kind == "ReplicaSet" && owner_of(object_at(item, "metadata")) == deployment;
  if (is_ours) out.sets.push_back(set_of(item, more));
}

}  // namespace

std::variant<KubernetesDeployment, std::string> parse_deployment(string_view text, const RestartAnnotations& more) {
  json::error_code error;
  const json::value root = json::parse(text, error);
  const json::object& whole = object_of(root);
  if (error || text_at(whole, "kind") != "Deployment") return "what was answered is no Deployment";
  KubernetesDeployment out;
  const json::object& metadata = object_at(whole, "metadata");
  const json::object& spec = object_at(whole, "spec");
  const json::object& status = object_at(whole, "status");
  out.uid = text_at(metadata, "uid");
  out.selector = selector_of(spec);
  out.pods = template_of(spec, more);
  if (out.uid.empty() || out.selector.empty() || out.pods.containers.empty())
    return "what was answered is no whole Deployment";
  out.generation = number_at(metadata, "generation", 0);
  out.observed = number_at(status, "observedGeneration", 0);
  out.paused = flag_at(spec, "paused");
  out.replicas = number_at(spec, "replicas", 1);
  out.replicas_there = number_at(status, "replicas", 0);
  out.updated = number_at(status, "updatedReplicas", 0);
  out.available = number_at(status, "availableReplicas", 0);
  out.history_limit = number_at(spec, "revisionHistoryLimit", 10);
  out.change_cause = said_at(object_at(metadata, "annotations"), cause_annotation);
  for (const json::value& one : array_at(status, "conditions")) {
    const json::object& condition = object_of(one);
    if (text_at(condition, "type") != "Progressing") continue;
    out.progress = text_at(condition, "reason");
    out.progress_at = text_at(condition, "lastUpdateTime");
  }
  out.managers = managers_of(metadata);
  return out;
}

std::variant<KubernetesOwned, std::string> parse_owned(std::span<const std::string> lists,
                                                       const KubernetesDeployment& deployment,
                                                       const RestartAnnotations& more) {
  KubernetesOwned out;
  for (const std::string& text : lists) {
    json::error_code error;
    const json::value root = json::parse(text, error);
    if (error || !object_of(root).contains("items")) return "what was answered is no list";
    const std::string kind = kind_of_items(object_of(root));
    for (const json::value& one : array_at(object_of(root), "items"))
      add_owned(out, object_of(one), kind, deployment.uid, more);
  }
  // A label may be another's as well.
  std::erase_if(out.pods, [&](const KubernetesPod& pod) {
    return std::none_of(out.sets.begin(), out.sets.end(), [&](const auto& set) { return set.uid == pod.set; });
  });
  return out;
}

std::string template_patch(const KubernetesDeployment& deployment, const KubernetesTemplate& pods,
                           const std::optional<std::string>& change_cause) {
  json::array patch;
  patch.push_back({{"op", "test"}, {"path", "/metadata/generation"}, {"value", deployment.generation}});
  json::object replace{{"op", "replace"}, {"path", "/spec/template"}};
  replace["value"] = json::parse(pods.json);
  patch.push_back(std::move(replace));
  constexpr const char* cause_path = "/metadata/annotations/kubernetes.io~1change-cause";
  if (change_cause)
    patch.push_back({{"op", "add"}, {"path", cause_path}, {"value", *change_cause}});
  else if (deployment.change_cause)
    patch.push_back({{"op", "remove"}, {"path", cause_path}});
  return json::serialize(patch);
}

}  // namespace watcher
