#include "watcher/drivers/kubernetes_api.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "probes/parse/json.hpp"
#include "watcher/drivers/kubernetes_shown.hpp"
#include "watcher/drivers/percent_escaped.hpp"

namespace watcher {

namespace {

constexpr rules::Duration question_limit = std::chrono::seconds(3);  // three are asked for a look
constexpr rules::Duration patient_limit = std::chrono::seconds(20);
constexpr int patient_tries = 4;
constexpr std::int64_t answer_max = 32 * 1024 * 1024;  // bytes; a pod is described by 10 to 30 KiB
constexpr std::int64_t logs_max = 2 * 1024 * 1024;     // bytes of one container's
constexpr const char* core = "/api/v1";
constexpr const char* apps = "/apis/apps/v1";

using Shown = std::string (*)(std::string_view json);

asio::awaitable<std::string> shown(std::shared_ptr<KubernetesWire> wire, KubernetesRequest request, Shown as_text) {
  const KubernetesAnswer answer = co_await KubernetesWire::ask(std::move(wire), std::move(request));
  if (const auto* const error = std::get_if<KubernetesError>(&answer)) co_return "[" + error->what + "]\n";
  co_return as_text(std::get<std::string>(answer));
}

std::string as_it_is(std::string_view text) { return std::string(text); }

}  // namespace

KubernetesApi::KubernetesApi(const KubernetesDriver& config, std::shared_ptr<KubernetesWire> wire)
    : KubernetesCluster(config), wire_(std::move(wire)) {}

std::string KubernetesApi::how() const { return "the API at " + wire_->account().authority; }

std::string KubernetesApi::name_space() const {
  return config().name_space.empty() ? wire_->account().name_space() : config().name_space;
}

std::string KubernetesApi::path(const std::string& group, const std::string& below) const {
  return group + "/namespaces/" + name_space() + "/" + below;
}

std::string KubernetesApi::why_not_started() const {
  std::string refused = wire_->account().why_not();
  if (refused.empty() && name_space().empty())
    refused = wire_->account().folder + "/namespace cannot be read, or is none; do say which: namespace = \"...\"";
  return refused;
}

KubernetesRequest KubernetesApi::question(std::string path) const {
  KubernetesRequest request;
  request.path = std::move(path);
  request.limit = in_switch_ ? patient_limit : question_limit;
  request.tries = in_switch_ ? patient_tries : 1;
  request.answer_max = answer_max;
  return request;
}

asio::awaitable<KubernetesAnswer> KubernetesApi::deployment() const {
  KubernetesRequest request = question(path(apps, "deployments/" + config().deployment));
  KubernetesAnswer answer = co_await KubernetesWire::ask(wire_, std::move(request));
  co_return std::move(answer);
}

asio::awaitable<KubernetesLists> KubernetesApi::owned(std::string selector) const {
  std::vector<std::string> lists;
  const std::string query = "?labelSelector=" + percent_escaped(selector);
  std::vector<std::string> paths;
  paths.push_back(path(apps, "replicasets" + query));
  paths.push_back(path(core, "pods" + query));
  for (std::string& one : paths) {
    KubernetesRequest request = question(std::move(one));
    KubernetesAnswer answer = co_await KubernetesWire::ask(wire_, std::move(request));
    if (auto* const error = std::get_if<KubernetesError>(&answer)) co_return std::move(*error);
    lists.push_back(std::get<std::string>(std::move(answer)));
  }
  co_return lists;
}

asio::awaitable<std::string> KubernetesApi::why_not_permitted() const {
  KubernetesRequest request = question("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
  request.method = "POST";
  request.content_type = "application/json";
  const boost::json::object attributes{{"namespace", name_space()},
                                       {"verb", "patch"},
                                       {"group", "apps"},
                                       {"resource", "deployments"},
                                       {"name", config().deployment}};
  const boost::json::object spec{{"resourceAttributes", attributes}};
  const boost::json::object review{
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SelfSubjectAccessReview"}, {"spec", spec}};
  request.body = boost::json::serialize(review);
  const KubernetesAnswer answer = co_await KubernetesWire::ask(wire_, std::move(request));
  if (const auto* const error = std::get_if<KubernetesError>(&answer)) co_return error->what;
  const auto parsed = probes::JsonBody::parse(std::get<std::string>(answer));
  const auto* const json = std::get_if<probes::JsonBody>(&parsed);
  if (json == nullptr || !json->text("/status/allowed"))
    co_return "the API server does not say whether the pod's service account may patch " + name();
  if (json->equals("/status/allowed", "true")) co_return std::string();
  co_return "the pod's service account may not patch deployments.apps/" + config().deployment + " in " + name_space() +
      "; do grant it: SECURITY.md has the Role";
}

asio::awaitable<KubernetesAnswer> KubernetesApi::patch(std::string document) const {
  KubernetesRequest request = question(path(apps, "deployments/" + config().deployment + "?fieldManager=rollbackd"));
  request.method = "PATCH";
  request.content_type = "application/json-patch+json";
  request.body = std::move(document);
  KubernetesAnswer answer = co_await KubernetesWire::ask(wire_, std::move(request));
  co_return std::move(answer);
}

// A change through the API is done or not: nothing of it is left at work, and nobody has to be told of it.
std::unique_ptr<KubernetesCluster> KubernetesApi::in_switch(probes::Started) const {
  auto patient = std::make_unique<KubernetesApi>(config(), wire_);
  patient->in_switch_ = true;
  return patient;
}

EvidenceCommand KubernetesApi::listing(KubernetesListing what, const std::string& selector, std::string file) const {
  const std::string query = "?labelSelector=" + percent_escaped(selector);
  KubernetesRequest request = question({});
  request.limit = evidence_limit;
  Shown as_text = kubernetes_events_shown;
  switch (what) {
    case KubernetesListing::pods:
      request.path = path(core, "pods" + query);
      as_text = kubernetes_pods_shown;
      break;
    case KubernetesListing::replica_sets:
      request.path = path(apps, "replicasets" + query);
      as_text = kubernetes_sets_shown;
      break;
    case KubernetesListing::events:
      request.path = path(core, "events");
      break;
  }
  EvidenceCommand out;
  out.file = std::move(file);
  out.asked = [wire = wire_, request, as_text]() { return shown(wire, request, as_text); };
  return out;
}

// A file for each container, so that one whose node is gone delays no other's.
std::vector<EvidenceCommand> KubernetesApi::logs(const KubernetesPod& pod, KubernetesLogs which) const {
  const bool is_before = which == KubernetesLogs::before;
  std::vector<EvidenceCommand> all;
  for (const KubernetesContainer& one : pod.containers) {
    if (is_before && one.restarts == 0) continue;
    const bool is_alone = pod.containers.size() == 1;
    const std::string query = "?container=" + percent_escaped(one.name) +
                              "&timestamps=true&tailLines=" + std::to_string(kubernetes_log_lines) +
                              "&limitBytes=" + std::to_string(logs_max) + (is_before ? "&previous=true" : "");
    KubernetesRequest request = question(path(core, "pods/" + percent_escaped(pod.name) + "/log" + query));
    request.limit = evidence_limit;
    EvidenceCommand out;
    out.file = "kubernetes-logs-" + pod.name + (is_alone ? "" : "-" + one.name) + (is_before ? "-before" : "") + ".txt";
    out.asked = [wire = wire_, request]() { return shown(wire, request, as_it_is); };
    all.push_back(std::move(out));
  }
  return all;
}

}  // namespace watcher
