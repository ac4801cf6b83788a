#include <stdlib.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "drivers_support.hpp"
#include "watcher/drivers/kubernetes_account.hpp"
#include "watcher/drivers/kubernetes_shown.hpp"
#include "watcher/drivers/kubernetes_wire.hpp"

// In a pod without kubectl. How it asks a server stands in tests/e2e/test_kubernetes_api.py.

namespace {

using namespace drivers_support;

// Variables of the environment, as they were before in the end.
class Environment {
 public:
  ~Environment() {
    for (const auto& [name, before] : before_) {
      if (before)
        ::setenv(name.c_str(), before->c_str(), 1);
      else
        ::unsetenv(name.c_str());
    }
  }
  void set(const std::string& name, const std::optional<std::string>& value) {
    const char* const found = std::getenv(name.c_str());
    before_.emplace_back(name, found == nullptr ? std::nullopt : std::optional<std::string>(found));
    if (value)
      ::setenv(name.c_str(), value->c_str(), 1);
    else
      ::unsetenv(name.c_str());
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

struct Pod {
  Folder folder;
  Environment environment;
  watcher::KubernetesDriver config;

  Pod() {
    std::filesystem::create_directory(folder.path + "/account");
    std::filesystem::create_directory(folder.path + "/bin");
    environment.set("PATH", folder.path + "/bin");
    environment.set("HOME", folder.path);
    environment.set("KUBECONFIG", std::nullopt);
    environment.set("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    environment.set("KUBERNETES_SERVICE_PORT", "443");
    environment.set("ROLLBACKD_SERVICE_ACCOUNT", folder.path + "/account");
    put("token", "eyJ.a.b\n");
    put("namespace", "shop");
  }
  void put(const std::string& file, const std::string& text) { write(folder.path + "/account/" + file, text); }
  std::optional<watcher::KubernetesAccount> account() const { return watcher::account_instead_of_kubectl(config); }
};

}  // namespace

TEST_CASE("the service account is taken in a pod without kubectl, and only where nothing says otherwise") {
  Pod pod;
  REQUIRE(pod.account());
  CHECK(pod.account()->authority == "10.96.0.1:443");
  CHECK(pod.account()->name_space() == "shop");
  CHECK(pod.config.commands("service.shop").empty());
  for (auto* const key : {&pod.config.kubeconfig, &pod.config.context, &pod.config.user}) {
    *key = "x";
    CHECK_FALSE(pod.account());
    key->clear();
  }
  pod.config.kubectl = {"kubectl"};
  CHECK_FALSE(pod.account());
  CHECK(pod.config.commands("service.shop").size() == 1);
  pod.config.kubectl.clear();
  pod.environment.set("KUBECONFIG", "/x");
  CHECK_FALSE(pod.account());
  pod.environment.set("KUBECONFIG", std::nullopt);
  std::filesystem::create_directory(pod.folder.path + "/.kube");
  write(pod.folder.path + "/.kube/config", "");
  CHECK_FALSE(pod.account());
  std::filesystem::remove(pod.folder.path + "/.kube/config");
  script(pod.folder.path + "/bin/kubectl", "");
  CHECK_FALSE(pod.account());
  std::filesystem::remove(pod.folder.path + "/bin/kubectl");
  pod.environment.set("KUBERNETES_SERVICE_HOST", "fd00::1");
  CHECK(pod.account()->authority == "[fd00::1]:443");
  pod.environment.set("KUBERNETES_SERVICE_HOST", std::nullopt);
  CHECK_FALSE(pod.account());
}

TEST_CASE("a token is read anew each time, and what could not stand in a header or a path is none") {
  Pod pod;
  const watcher::KubernetesAccount account = *pod.account();
  CHECK(account.token() == "eyJ.a.b");
  pod.put("token", "second");
  CHECK(account.token() == "second");
  for (const std::string& text : {std::string("a\r\nX: y"), std::string("a b"), std::string("\xc3\xa4"),
                                  std::string(70'000, 'a'), std::string()}) {
    pod.put("token", text);
    CHECK(account.token().empty());
    CHECK(contains(account.why_not(), "/token cannot be read, or is none"));
  }
  pod.put("token", "third");
  CHECK(contains(account.why_not(), "the pod's service account: read certificates from"));
  pod.put("namespace", "shop/../../etc");
  CHECK(account.name_space().empty());
}

TEST_CASE("what the API server answers instead is told with what to do, and is no time-out of ours") {
  using watcher::kubernetes_refusal;
  const std::string refused = R"({"kind":"Status","message":"deployments.apps \"shop\" is forbidden\u001b[2J"})";
  CHECK(kubernetes_refusal("GET /x", 403, refused).what ==
        "GET /x: answered 403: deployments.apps \"shop\" is forbidden\\e[2J; do grant it: SECURITY.md has the Role");
  CHECK(contains(kubernetes_refusal("GET /x", 401, "<html>").what, "GET /x: answered 401; do look whether the pod's"));
  CHECK(contains(kubernetes_refusal("GET /x", 404, "").what, "do correct `deployment` or `namespace`"));
  CHECK(contains(kubernetes_refusal("GET /x", 410, "").what, "has expired"));
  CHECK(kubernetes_refusal("GET /x", 418, "").what == "GET /x: answered 418");
  const watcher::KubernetesError late = watcher::kubernetes_fault("GET /x", {rules::FaultKind::timeout, "read"});
  CHECK(late.status == rules::StepStatus::timed_out);
  CHECK(contains(late.what, "do look whether the API server can be reached"));
  CHECK(watcher::kubernetes_fault("GET /x", {rules::FaultKind::cancelled, ""}).status ==
        rules::StepStatus::interrupted);
}

TEST_CASE("of pods, ReplicaSets and events the evidence has what people look for, and no environment") {
  const std::string pods = watcher::kubernetes_pods_shown(
      R"({"items":[{"metadata":{"name":"shop-1"},"spec":{"nodeName":"n1","containers":[{"name":"shop","env":[)"
      R"({"name":"PW","value":"xyzzy"}]}]},"status":{"phase":"Running","startTime":"T1","conditions":[{"type":"Ready",)"
      R"("status":"False","reason":"ContainersNotReady"},{"type":"Initialized","status":"True"}],)"
      R"("containerStatuses":[{"name":"shop","image":"shop:v2","imageID":"shop@sha256:1","ready":false,)"
      R"("restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":)"
      R"({"reason":"OOMKilled","exitCode":137,"finishedAt":"T2"}}}]}}]})");
  CHECK(pods ==
        "shop-1 phase=Running node=n1 started=T1 Ready=False (ContainersNotReady)\n"
        "  shop image=shop:v2 shop@sha256:1 ready=false restarts=3 waiting=CrashLoopBackOff last_end=OOMKilled "
        "exit_code=137 at=T2\n");
  CHECK(watcher::kubernetes_sets_shown(
            R"({"items":[{"metadata":{"name":"shop-a","annotations":{"deployment.kubernetes.io/revision":"4"},)"
            R"("creationTimestamp":"T"},"spec":{"replicas":2,"template":{"spec":{"containers":[{"image":"shop:v1"},)"
            R"({"image":"side:1"}]}}},"status":{}}]})") ==
        "NAME     REVISION   WANTED   READY   MADE   IMAGES\n"
        "shop-a   4          2                T      shop:v1,side:1\n");
  CHECK(watcher::kubernetes_events_shown(
            R"({"items":[{"lastTimestamp":"2","reason":"Later","message":"m"},{"eventTime":"1","reason":"First"}]})") ==
        "LAST   COUNT   TYPE   REASON   OBJECT   MESSAGE\n"
        "1                     First             \n"
        "2                     Later             m\n");
  for (const char* const text : {"", "[]", "{}", R"({"items":3})", R"({"items":[1,null,"x",[]]})"}) {
    CAPTURE(text);
    CHECK_FALSE(watcher::kubernetes_pods_shown(text).empty());
    CHECK_FALSE(watcher::kubernetes_sets_shown(text).empty());
    CHECK_FALSE(watcher::kubernetes_events_shown(text).empty());
  }
}
