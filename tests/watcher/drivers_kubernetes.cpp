#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "drivers_support.hpp"
#include "watcher/drivers/kubernetes_identity.hpp"
#include "watcher/drivers/kubernetes_notes.hpp"
#include "watcher/drivers/kubernetes_switch.hpp"
#include "watcher/drivers/ourselves.hpp"

// From what kubectl prints to what runs: nothing is started here.

namespace {

using namespace drivers_support;
using watcher::KubernetesLook;

const std::string digest_1(64, '1');
const std::string digest_2(64, '2');

// As kubectl prints it; `labels` and `annotations` with a comma behind each.
std::string pod_template(const std::string& image, const std::string& labels = "",
                         const std::string& annotations = "") {
  return R"({"metadata":{"creationTimestamp":null,"labels":{)" + labels + R"("app":"shop"},"annotations":{)" +
         annotations + R"("team":"a"}},"spec":{"containers":[{"name":"shop","image":")" + image +
         R"(","env":[{"name":"TOKEN","value":"xyzzy"}]}],"terminationGracePeriodSeconds":30}})";
}

struct Status {
  int generation = 4;
  int observed = 4;
  int there = 2;
  int updated = 2;
  int available = 2;
  std::string reason = "NewReplicaSetAvailable";
  std::string spec = "";
};

std::string deployment_json(const std::string& image, const Status& status = {}) {
  return R"({"kind":"Deployment","metadata":{"name":"shop","uid":"d1","generation":)" +
         std::to_string(status.generation) +
         R"(,"annotations":{"deployment.kubernetes.io/revision":"4"}},"spec":{"replicas":2,"selector":{"matchLabels":)" +
         R"({"app":"shop"},"matchExpressions":[{"key":"tier","operator":"In","values":["a","b"]},{"key":"old",)" +
         R"("operator":"DoesNotExist"}]},)" + status.spec + R"("template":)" + pod_template(image) +
         R"(},"status":{"observedGeneration":)" + std::to_string(status.observed) + R"(,"replicas":)" +
         std::to_string(status.there) + R"(,"updatedReplicas":)" + std::to_string(status.updated) +
         R"(,"availableReplicas":)" + std::to_string(status.available) +
         R"(,"conditions":[{"type":"Available","reason":"x"},{"type":"Progressing","reason":")" + status.reason +
         R"(","lastUpdateTime":"2026-11-30T09:00:00Z"}]}})";
}

std::string set_json(const std::string& uid, int revision, const std::string& its_template) {
  return R"({"kind":"ReplicaSet","metadata":{"name":"shop-)" + uid + R"(","uid":")" + uid +
         R"(","annotations":{"deployment.kubernetes.io/revision":")" + std::to_string(revision) +
         R"("},"ownerReferences":[{"controller":true,"kind":"Deployment","uid":"d1"}]},"spec":{"template":)" +
         its_template + "}}";
}

std::string pod_json(const std::string& name, const std::string& set, const std::string& digest, bool ready,
                     const std::string& more = "", const std::string& metadata = "") {
  const std::string image_id = digest.empty() ? "" : "docker-pullable://shop@sha256:" + digest;
  return R"({"kind":"Pod","metadata":{)" + metadata + R"("name":")" + name + R"(","uid":"uid-)" + name +
         R"(","ownerReferences":[{"controller":true,"kind":"ReplicaSet","uid":")" + set +
         R"("}]},"status":{"phase":"Running","conditions":[{"type":"Ready","status":")" + (ready ? "True" : "False") +
         R"("}],"containerStatuses":[{"name":"mesh","imageID":"mesh@sha256:)" + digest_2 + name +
         R"("},{"name":"shop","restartCount":3,"imageID":")" + image_id + "\"" + more + "}]}}";
}

std::string list(const std::vector<std::string>& items) {
  std::string out = R"({"kind":"List","items":[)";
  for (const std::string& item : items) out += (out.back() == '[' ? "" : ",") + item;
  return out + "]}";
}

KubernetesLook look(const std::string& deployment, const std::vector<std::string>& items) {
  auto parsed = watcher::parse_deployment(deployment, {});
  REQUIRE(std::holds_alternative<watcher::KubernetesDeployment>(parsed));
  auto whole = std::get<watcher::KubernetesDeployment>(parsed);
  const std::vector<std::string> lists{list(items)};
  auto owned = watcher::parse_owned(lists, whole, {});
  REQUIRE(std::holds_alternative<watcher::KubernetesOwned>(owned));
  return watcher::kubernetes_look(whole, std::get<watcher::KubernetesOwned>(owned), "shop");
}

const std::string hash_1 = R"("pod-template-hash":"aaa",)";
const std::string hash_2 = R"("pod-template-hash":"bbb",)";
const std::string crashes = R"(,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":)"
                            R"({"exitCode":137,"reason":"OOMKilled"}})";

}  // namespace

TEST_CASE("what runs of a Deployment is its image's digest and its template, which a restart does not change") {
  const std::string v1 = set_json("s1", 3, pod_template("shop:v1", hash_1));
  const KubernetesLook first =
      look(deployment_json("shop:v1"), {v1, pod_json("a", "s1", digest_1, true), pod_json("b", "s1", digest_1, true)});
  CHECK(first.error == "");
  CHECK(first.revision.starts_with("111111111111-"));
  CHECK(first.deployment.selector == "app=shop,tier in (a,b),!old");
  CHECK(rules::is_safe_in_argv(rules::Revision(first.revision)));
  const std::string restarted = R"("kubectl.kubernetes.io/restartedAt":"2026-11-30T09:00:00Z",)";
  const std::string anew = set_json("s2", 4, pod_template("shop:v1", hash_2, restarted));
  CHECK(look(deployment_json("shop:v1"), {v1, anew, pod_json("c", "s2", digest_1, true)}).revision == first.revision);
  // The same tag is another image, another setting another template.
  CHECK(look(deployment_json("shop:v1"), {v1, pod_json("a", "s1", digest_2, true)}).revision != first.revision);
  const std::string set = set_json("s2", 4, pod_template("shop:v1", hash_2, R"("config":"2",)"));
  CHECK(look(deployment_json("shop:v1"), {set, pod_json("a", "s2", digest_1, true)}).revision != first.revision);
}

TEST_CASE("ready pods have to agree, those that leave or belong to another are not asked") {
  const std::string v1 = set_json("s1", 3, pod_template("shop:v1", hash_1));
  const std::string a = pod_json("a", "s1", digest_1, true);
  const std::string leaving = pod_json("b", "s1", digest_2, true, "", R"("deletionTimestamp":"x",)");
  const std::string foreign = pod_json("c", "other", digest_2, true);
  const std::string sick = pod_json("d", "s1", digest_2, false, crashes);
  CHECK(look(deployment_json("shop:v1"), {v1, a, leaving, foreign, sick}).error == "");
  const KubernetesLook differs = look(deployment_json("shop:v1"), {v1, a, pod_json("b", "s1", digest_2, true)});
  CHECK(differs.revision == "");
  CHECK_FALSE(differs.is_changing);
  CHECK(differs.differ);
  CHECK(contains(differs.error, "the ready pods of shop do not agree: 1 of 111111111111-"));
}

TEST_CASE("a rollout that goes on says nothing yet, one that is stuck is told and what is ready runs") {
  const std::string v1 = set_json("s1", 3, pod_template("shop:v1", hash_1));
  const std::string v2 = set_json("s2", 4, pod_template("shop:v2", hash_2));
  const std::string a = pod_json("a", "s1", digest_1, true);
  const std::string b = pod_json("b", "s2", digest_2, false, crashes);
  const KubernetesLook going = look(deployment_json("shop:v2", {4, 4, 3, 1, 2, "ReplicaSetUpdated"}), {v1, v2, a, b});
  CHECK(going.is_changing);
  CHECK(going.error == "a rollout of shop is going on: 1 of 2 pods are of the new template");
  CHECK(look(deployment_json("shop:v2", {5, 4}), {v1, v2, a, b}).is_changing);
  const KubernetesLook stuck =
      look(deployment_json("shop:v2", {4, 4, 3, 1, 2, "ProgressDeadlineExceeded"}), {v1, v2, a, b});
  CHECK(stuck.revision.starts_with("111111111111-"));
  CHECK(contains(stuck.unfinished, "b: CrashLoopBackOff, OOMKilled, exit code 137, 3 restarts"));
  CHECK(contains(stuck.unfinished, "do kubectl rollout undo deployment/shop"));
  CHECK(contains(why_no_rollout(stuck, "shop", stuck.revision), "kubectl rollout undo"));
  const KubernetesLook paused = look(deployment_json("shop:v2", {4, 4, 2, 0, 2, "", R"("paused":true,)"}), {v1, v2, a});
  CHECK(contains(paused.unfinished, "do kubectl rollout resume"));
  CHECK(contains(why_no_rollout(paused, "shop", ""), "shop is paused; do kubectl rollout resume deployment/shop"));
}

TEST_CASE(
    "where no pod is ready the newest ones are what is deployed, and one that is only on its way is not seen yet") {
  const std::string v1 = set_json("s1", 3, pod_template("shop:v1", hash_1));
  const std::string v2 = set_json("s2", 4, pod_template("shop:v2", hash_2));
  const Status stuck{4, 4, 2, 2, 0, "ReplicaSetUpdated"};
  const std::string old = pod_json("a", "s1", digest_1, false, crashes);
  const KubernetesLook crashing =
      look(deployment_json("shop:v2", stuck), {v1, v2, old, pod_json("b", "s2", digest_2, false, crashes)});
  CHECK(crashing.revision.starts_with("222222222222-"));
  const std::string creating = R"(,"state":{"waiting":{"reason":"ContainerCreating"}})";
  CHECK(look(deployment_json("shop:v2", stuck), {v1, v2, old, pod_json("b", "s2", "", false, creating)}).is_changing);
  const std::string no_image = R"(,"state":{"waiting":{"reason":"ImagePullBackOff"}})";
  const KubernetesLook unpulled =
      look(deployment_json("shop:v2", stuck), {v1, v2, pod_json("b", "s2", "", false, no_image)});
  CHECK(unpulled.revision == "unpulled-" + watcher::template_part(unpulled.deployment.pods));
  CHECK(look(deployment_json("shop:v2", stuck), {v1, v2}).is_changing);
}

TEST_CASE("a revision is found among the ReplicaSets that are kept by its template, the newest of two") {
  const std::string restarted = R"("kubectl.kubernetes.io/restartedAt":"x",)";
  const KubernetesLook found =
      look(deployment_json("shop:v2"),
           {set_json("s1", 2, pod_template("shop:v1", hash_1)),
            set_json("s3", 3, pod_template("shop:v1", hash_1, restarted)),
            set_json("s2", 4, pod_template("shop:v2", hash_2)), pod_json("a", "s2", digest_2, true)});
  const std::string v1 = "111111111111-" + watcher::template_part(found.sets.front().pods);
  REQUIRE(watcher::set_with(found.sets, watcher::template_part(v1)) != nullptr);
  CHECK(watcher::set_with(found.sets, watcher::template_part(v1))->name == "shop-s3");
  CHECK(why_no_rollout(found, "shop", v1) == "");
  CHECK(why_no_rollout(found, "shop", found.revision) == "");
  CHECK(contains(why_no_rollout(found, "shop", "111111111111-000000000000"), "revisionHistoryLimit (10)"));
  CHECK(contains(why_no_rollout(found, "shop", "v1"), "v1 is no revision of a Deployment"));
  CHECK(contains(why_no_rollout(found, "shop", "111111111111" + found.revision.substr(12)), "do pin images by digest"));
  const KubernetesLook none =
      look(deployment_json("shop:v2", {4, 4, 2, 2, 2, "x", R"("revisionHistoryLimit":0,)"}), {});
  CHECK(contains(why_no_rollout(none, "shop", ""), "do set its revisionHistoryLimit"));
}

TEST_CASE("a change of the template holds only for the Deployment that was looked at, and keeps what is beside it") {
  const KubernetesLook found =
      look(deployment_json("shop:v2"),
           {set_json("s1", 2, pod_template("shop:v1", hash_1, R"("kubectl.kubernetes.io/restartedAt":"x",)"))});
  const auto patch = boost::json::parse(watcher::template_patch(found.deployment, found.sets.front().pods, "to v1"));
  REQUIRE(patch.as_array().size() == 3);
  CHECK(patch.at(0) == boost::json::parse(R"({"op":"test","path":"/metadata/generation","value":4})"));
  CHECK(patch.at(1).at("path").as_string() == "/spec/template");
  // The label is the ReplicaSet's, the annotation the release's.
  CHECK(patch.at(1).at("value") ==
        boost::json::parse(pod_template("shop:v1", "", R"("kubectl.kubernetes.io/restartedAt":"x",)")));
  CHECK(patch.at(2).at("value").as_string() == "to v1");
  CHECK(boost::json::parse(watcher::template_patch(found.deployment, found.sets.front().pods, std::nullopt))
            .as_array()
            .size() == 2);
}

TEST_CASE("what was not answered whole is no Deployment and no list") {
  const std::string whole = deployment_json("shop:v1");
  for (const std::string& text : {std::string(), whole.substr(0, whole.size() / 2), std::string("{}"),
                                  std::string("[]"), std::string(R"({"kind":"Deployment"})")})
    CHECK(std::holds_alternative<std::string>(watcher::parse_deployment(text, {})));
  const auto right = watcher::parse_deployment(whole, {});
  for (const char* const text : {"", "{}", "[", R"({"items":)"}) {
    const std::vector<std::string> lists{text};
    CHECK(std::holds_alternative<std::string>(
        watcher::parse_owned(lists, std::get<watcher::KubernetesDeployment>(right), {})));
  }
}

TEST_CASE("an item of a list without a kind has the list's, as the API has it") {
  const auto parsed = watcher::parse_deployment(deployment_json("shop:v1"), {});
  const auto without_kind = [](std::string item) { return item.replace(0, item.find(',') + 1, "{"); };
  const std::vector<std::string> lists{
      R"({"kind":"ReplicaSetList","items":[)" + without_kind(set_json("s1", 3, pod_template("shop:v1", hash_1))) + "]}",
      R"({"kind":"PodList","items":[)" + without_kind(pod_json("a", "s1", digest_1, true)) + "]}"};
  const auto owned = watcher::parse_owned(lists, std::get<watcher::KubernetesDeployment>(parsed), {});
  REQUIRE(std::holds_alternative<watcher::KubernetesOwned>(owned));
  CHECK(std::get<watcher::KubernetesOwned>(owned).sets.size() == 1);
  CHECK(std::get<watcher::KubernetesOwned>(owned).pods.size() == 1);
}

TEST_CASE("names of Kubernetes' revisions are their images and tags, and notes survive being written") {
  watcher::KubernetesNotes notes;
  CHECK(note_seen(notes, {"111111111111-aaaaaaaaaaaa", {"registry:5000/shop:v1"}}));
  CHECK(note_seen(notes, {"222222222222-bbbbbbbbbbbb", {"registry:5000/shop:v2"}}));
  CHECK_FALSE(note_seen(notes, {"222222222222-bbbbbbbbbbbb", {"registry:5000/shop:v2"}}));
  notes.aftermath = {"a line"};
  notes.to = "111111111111-aaaaaaaaaaaa";
  const auto read = watcher::parse_kubernetes_notes(to_json(notes));
  REQUIRE(read);
  CHECK(read->seen == notes.seen);
  CHECK(read->aftermath == notes.aftermath);
  CHECK(read->to == notes.to);
  CHECK_FALSE(watcher::parse_kubernetes_notes("{}"));
  CHECK(revisions_named(notes, "v1").meant ==
        std::vector<rules::Revision>{rules::Revision("111111111111-aaaaaaaaaaaa")});
  CHECK(revisions_named(notes, "2222").meant.size() == 1);
  CHECK(contains(revisions_named(notes, "v3").why_none, "no revision that ran here is called \"v3\""));
  CHECK(images_between(notes, "222222222222-bbbbbbbbbbbb", "111111111111-aaaaaaaaaaaa", 5) ==
        std::vector<std::string>{"registry:5000/shop:v2, back to registry:5000/shop:v1"});
}

TEST_CASE("the pod that we run in is known by its control group or by what is mounted into it") {
  const std::string uid = "0f3b2c1d-1a2b-4c3d-8e9f-00112233aabb";
  CHECK(watcher::pod_in("12:cpu:/kubepods/burstable/pod" + uid + "/0123\n") == uid);
  CHECK(watcher::pod_in("0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0f3b2c1d_1a2b_4c3d_8e9f_"
                        "00112233aabb.slice/cri-x.scope\n") == uid);
  CHECK(watcher::pod_in("/var/lib/kubelet/pods/" + uid + "/etc-hosts /etc/hosts rw") == uid);
  CHECK(watcher::pod_in("0::/system.slice/podman.service\n") == "");
}
