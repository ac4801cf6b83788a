#include <unistd.h>

#include "drivers_support.hpp"

// The driver with a kubectl of the test's: it answers from files, writes down what it is told, and gives the patch
// back.

namespace {

using namespace drivers_support;

constexpr const char* kubectl_script = R"sh(cd "${0%/*}"
for word in "$@"; do case "$word" in --*) ;; *) words="$words $word" ;; esac; done
echo "$words" >>told
[ ! -e says ] || { cat says >&2; exit 1; }
case "$words" in
  " get deployments.apps shop") cat deployment ;;
  " get replicasets.apps,pods") cat owned ;;
  " auth can-i"*) [ ! -e no ] || { echo no; exit 1; }; echo yes ;;
  " patch"*) cat /dev/stdin >patch; [ ! -e refuses ] || { echo "Error from server: not now" >&2; exit 1; }
             [ ! -e next ] || { mv next deployment; mv next-owned owned; } ;;
esac
)sh";

const std::string v1 =
    R"({"metadata":{"labels":{"app":"shop"}},"spec":{"containers":[{"name":"shop","image":"shop:v1"}]}})";
const std::string v2 =
    R"({"metadata":{"labels":{"app":"shop"}},"spec":{"containers":[{"name":"shop","image":"shop:v2"}]}})";

std::string deployment(const std::string& pods, int generation, const std::string& labels = "") {
  const std::string number = std::to_string(generation);
  return R"({"kind":"Deployment","metadata":{"name":"shop","uid":"d1","labels":{)" + labels +
         R"("a":"b"},"generation":)" + number +
         R"(},"spec":{"replicas":1,"selector":{"matchLabels":{"app":"shop"}},"template":)" + pods +
         R"(},"status":{"observedGeneration":)" + number +
         R"(,"replicas":1,"updatedReplicas":1,"availableReplicas":1}})";
}

std::string set(const std::string& uid, const std::string& pods) {
  return R"({"kind":"ReplicaSet","metadata":{"name":"shop-)" + uid + R"(","uid":")" + uid +
         R"(","ownerReferences":[{"controller":true,"uid":"d1"}]},"spec":{"template":)" + pods + "}},";
}

std::string owned(const std::string& set_that_runs) {
  const std::string digest(64, set_that_runs.back());
  return R"({"items":[)" + set("s1", v1) + set("s2", v2) +
         R"({"kind":"Pod","metadata":{"name":"p","uid":"p","ownerReferences":)" + R"([{"controller":true,"uid":")" +
         set_that_runs + R"("}]},"status":{"phase":"Running","conditions":[{"type":"Ready",)" +
         R"("status":"True"}],"containerStatuses":[{"name":"shop","imageID":"shop@sha256:)" + digest + R"("}]}}]})";
}

struct Host {
  Folder folder;
  watcher::KubernetesDriver config;

  Host() {
    config.kubectl = {script(folder.path + "/kubectl", kubectl_script)};
    config.kubeconfig = folder.path + "/kubeconfig";
    config.rollout_timeout = 2s;
    write(config.kubeconfig, "{}");
    REQUIRE(::chmod(config.kubeconfig.c_str(), 0600) == 0);
    put("deployment", deployment(v1, 1));
    put("owned", owned("s1"));
  }
  void put(const std::string& file, const std::string& text) { write(folder.path + "/" + file, text); }
  void take(const std::string& file) { std::filesystem::remove(folder.path + "/" + file); }
  void deployed_v2() {
    put("deployment", deployment(v2, 2));
    put("owned", owned("s2"));
  }
  std::unique_ptr<watcher::Driver> driver(const probes::Clock& clock) {
    watcher::DriverSection section;
    section.service = rules::ServiceName("shop");
    section.driver = config;
    return watcher::make_driver(section, folder.path + "/state", clock);
  }
  std::string why(const probes::Clock& clock, const std::string& to = "") { return ready(*driver(clock), to).reason; }
};

}  // namespace

TEST_CASE("a Deployment is given the template that it had, from memory and for its generation alone") {
  const CountingClock clock;
  Host host;
  const auto driver = host.driver(clock);
  const std::string first = running(*driver);
  host.deployed_v2();
  const std::string second = running(*driver);
  CHECK(first != second);
  CHECK(host.why(clock, first) == "");
  host.put("next", deployment(v1, 3));
  host.put("next-owned", owned("s1"));
  const rules::StepResult done = switch_to(*driver, second, first);
  CAPTURE(done.detail);
  CHECK(done.status == rules::StepStatus::succeeded);
  CHECK(contains(content(host.folder.path + "/patch"), R"([{"op":"test","path":"/metadata/generation","value":2})"));
  CHECK(contains(content(host.folder.path + "/patch"), "shop:v1"));
  CHECK_FALSE(contains(content(host.folder.path + "/told"), "shop:v1"));
  CHECK(running(*driver) == first);
  // Done before, and broken off by our end: it is not done again.
  host.take("patch");
  CHECK(switch_to(*driver, second, first).status == rules::StepStatus::succeeded);
  CHECK_FALSE(std::filesystem::exists(host.folder.path + "/patch"));
}

TEST_CASE("a template that is not the one judged is left, and so is one that the server refuses to change") {
  const CountingClock clock;
  Host host;
  const auto driver = host.driver(clock);
  const std::string first = running(*driver);
  host.deployed_v2();
  const std::string second = running(*driver);
  const rules::StepResult other = switch_to(*driver, "333333333333-333333333333", first);
  CHECK(other.nothing_begun);
  CHECK(contains(other.detail, "somebody has deployed meanwhile, and it was left so"));
  CHECK_FALSE(std::filesystem::exists(host.folder.path + "/patch"));
  host.put("refuses", "");
  const rules::StepResult refused = switch_to(*driver, second, first);
  CHECK(refused.nothing_begun);
  CHECK(contains(refused.detail, "kubectl patch deployments.apps shop: Error from server: not now"));
}

TEST_CASE("a change of a Deployment that has no time left when it would begin is not begun") {
  const CountingClock clock;
  Host host;
  const auto driver = host.driver(clock);
  const std::string first = running(*driver);
  host.deployed_v2();
  const rules::StepResult late = switch_without_time(*driver, running(*driver), first);
  CHECK(late.status == rules::StepStatus::timed_out);
  CHECK(late.nothing_begun);
  CHECK(contains(late.detail, "took all of the time that there is, so nothing was begun"));
  CHECK_FALSE(std::filesystem::exists(host.folder.path + "/patch"));
}

TEST_CASE("what would be in the way of a change of a Deployment is told before") {
  const CountingClock clock;
  Host host;
  CHECK(host.why(clock) == "");
  CHECK(contains(host.why(clock, "111111111111-222222222222"), "no ReplicaSet of 111111111111-222222222222 is kept"));
  host.put("no", "");
  CHECK(contains(host.why(clock), "kubectl auth can-i patch deployments.apps/shop: no; do grant it"));
  host.take("no");
  for (const auto& [said, then] :
       {std::pair("Error from server (NotFound): deployments.apps \"shop\" not found", "correct `deployment`"),
        std::pair("error: You must be logged in to the server (Unauthorized)", "credentials that hold"),
        std::pair("The connection to the server 127.0.0.1:1 was refused", "API server is up"),
        std::pair("error: invalid configuration: no configuration has been provided", "say which cluster"),
        std::pair("error: error loading config file \"/etc/k\": yaml: line 3: mapping", "correct the kubeconfig"),
        std::pair("Unable to connect to the server: getting credentials: exec: executable aws-iam not found",
                  "install what the kubeconfig names"),
        std::pair("Unable to connect to the server: x509: certificate signed by unknown authority",
                  "authority of the cluster's certificate"),
        std::pair("Unable to connect to the server: dial tcp: lookup api.test: no such host", "can be looked up"),
        std::pair("error: context was not found for specified context: x", "correct `context`")}) {
    host.put("says", said);
    CHECK(contains(host.why(clock), std::string("kubectl get deployments.apps shop: ") + said));
    CHECK(contains(identify(*host.driver(clock)).error, then));
  }
  host.take("says");
  REQUIRE(::chmod(host.config.kubeconfig.c_str(), 0666) == 0);
  CHECK(contains(host.why(clock), "other users could change the kubeconfig"));
  CHECK(contains(identify(*host.driver(clock)).error, "other users could change the kubeconfig"));
  host.take("kubeconfig");
  CHECK(contains(host.why(clock), "no such file; do put it there, or correct kubeconfig"));
}

TEST_CASE("who else keeps a Deployment is advice, and stands in the way of nothing") {
  const CountingClock clock;
  Host host;
  CHECK(run_here(host.driver(clock)->advice()).empty());
  host.put("deployment", deployment(v1, 1, R"("kustomize.toolkit.fluxcd.io/name":"shop",)"));
  const std::vector<std::string> advice = run_here(host.driver(clock)->advice());
  REQUIRE(advice.size() == 1);
  CHECK(contains(advice.front(), "Flux keeps it as git has it"));
  CHECK(host.why(clock) == "");
}
