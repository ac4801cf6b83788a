#include "watcher/drivers/stops_us.hpp"

#include <stdlib.h>

#include <utility>
#include <vector>

#include "drivers_support.hpp"
#include "watcher/drivers/own_container.hpp"
#include "watcher/drivers/why_not.hpp"

namespace {

using namespace drivers_support;
using Argv = std::vector<std::string>;

const std::string id = "0123456789abcdef" + std::string(48, 'a');

// rollbackd as a service of a Compose project.
const watcher::OwnContainer own{id, "shop-rollbackd-1", "shop", "rollbackd", "/opt/shop"};

bool stops(const Argv& argv, const watcher::StopsWhere& where = {"/opt/shop"}) {
  const std::string why = watcher::why_stops(own, argv, where);
  CHECK(why.empty() != contains(why, "would end rollbackd itself, and the rollback with it; do leave it out"));
  return !why.empty();
}

class Pod {
 public:
  Pod() {
    std::filesystem::create_directory(folder_.path + "/account");
    write(folder_.path + "/account/namespace", "shop");
    set("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    set("KUBERNETES_SERVICE_PORT", "443");
    set("ROLLBACKD_SERVICE_ACCOUNT", folder_.path + "/account");
    set("HOSTNAME", "watcher-7f9c4d5b6-x2x4z");
  }
  ~Pod() {
    for (const auto& [name, before] : before_) {
      if (before)
        ::setenv(name.c_str(), before->c_str(), 1);
      else
        ::unsetenv(name.c_str());
    }
  }

 private:
  void set(const char* name, const std::string& value) {
    const char* const found = ::getenv(name);
    before_.emplace_back(name, found == nullptr ? std::nullopt : std::optional<std::string>(found));
    ::setenv(name, value.c_str(), 1);
  }

  Folder folder_;
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

}  // namespace

TEST_CASE("a command that would stop our unit or our processes is found behind what runs it") {
  for (const Argv& argv :
       {Argv{"systemctl", "restart", "rollbackd"},
        Argv{"sudo", "-n", "/bin/systemctl", "stop", "web", "rollbackd.service"},
        Argv{"timeout", "5", "systemctl", "--no-block", "kill", "-s", "KILL", "rollbackd-runner"},
        Argv{"service", "rollbackd", "restart"}, Argv{"pkill", "-9", "rollbackd"}, Argv{"killall", "rollbackd"},
        Argv{"sh", "-c", "cd /opt && echo x; systemctl restart web && sudo systemctl restart rollbackd"},
        Argv{"bash", "-euc", "if true; then bash -c 'service rollbackd stop'; fi"}}) {
    CAPTURE(argv.back());
    CHECK(stops(argv));
  }
  for (const Argv& argv :
       {Argv{"systemctl", "restart", "web"}, Argv{"systemctl", "status", "rollbackd"}, Argv{"systemctl"}, Argv{},
        Argv{"systemctl", "kill", "-s", "HUP", "rollbackd"}, Argv{"pkill", "-HUP", "rollbackd"},
        Argv{"systemctl", "-H", "other", "restart", "rollbackd"}, Argv{"service", "web", "restart"},
        Argv{"sh", "-c", "echo systemctl restart rollbackd"}, Argv{"sh", "-c", "systemctl restart \"$UNIT\""}}) {
    CAPTURE(argv.size());
    CHECK_FALSE(stops(argv));
  }
  CHECK(contains(watcher::why_not_started({{"systemctl", "restart", "rollbackd"}, "", ""}), "rollbackd"));
}

TEST_CASE("our own container is found by its id, the beginning of it, and the name that Docker has for it") {
  for (const Argv& argv :
       {Argv{"docker", "stop", "shop-rollbackd-1"},
        Argv{"docker", "-H", "unix:///x", "restart", "-t", "5", "shop-rollbackd-1"},
        Argv{"docker", "rm", "-f", "web", "shop-rollbackd-1"}, Argv{"docker", "container", "kill", id.substr(0, 12)},
        Argv{"docker", "pause", id}, Argv{"sh", "-c", "docker rm -f shop-rollbackd-1 || true"}})
    CHECK(stops(argv));
  for (const Argv& argv :
       {Argv{"docker", "stop", "web"}, Argv{"docker", "exec", "shop-rollbackd-1", "rm", "-f", "x"},
        Argv{"docker", "kill", "-s", "HUP", "shop-rollbackd-1"}, Argv{"docker", "logs", "shop-rollbackd-1"},
        Argv{"docker", "stop", id.substr(0, 4)}, Argv{"docker", "run", "--name", "stop", "shop-rollbackd-1"},
        Argv{"docker", "-H"}, Argv{"docker", "container"}, Argv{"docker"}})
    CHECK_FALSE(stops(argv));
  CHECK(watcher::why_stops({}, {"docker", "stop", "web"}, {}).empty());
}

TEST_CASE("our own service of a Compose project is found by its name, and where the whole project is stopped") {
  for (const Argv& argv :
       {Argv{"docker", "compose", "stop", "rollbackd"}, Argv{"docker", "compose", "restart"},
        Argv{"docker-compose", "down"},
        Argv{"docker", "compose", "-f", "docker-compose.yml", "kill", "-s", "KILL", "rollbackd"},
        Argv{"docker", "compose", "up", "-d", "web", "rollbackd"},
        Argv{"docker", "compose", "up", "-d", "--force-recreate"}, Argv{"docker", "compose", "rm", "-sf", "rollbackd"},
        Argv{"docker", "compose", "restart", "-t", "5"}, Argv{"docker", "compose", "-p", "shop", "stop"}})
    CHECK(stops(argv));
  for (const Argv& argv :
       {Argv{"docker", "compose", "stop", "web"}, Argv{"docker", "compose", "up", "-d", "--no-deps", "web"},
        Argv{"docker", "compose", "up", "-d"}, Argv{"docker", "compose", "rm", "-f", "rollbackd"},
        Argv{"docker", "compose", "-p", "other", "down"}, Argv{"docker", "compose", "ps"},
        Argv{"docker", "compose", "-f", "/opt/other/compose.yml", "restart"},
        Argv{"docker", "compose", "rm", "-s", "web"}, Argv{"docker", "compose", "exec", "rollbackd", "restart"}})
    CHECK_FALSE(stops(argv));
  // By the folder's name as well, since it may be mounted elsewhere, and by what the environment says.
  const Argv restart{"docker", "compose", "restart"};
  CHECK(stops(restart, {"/srv/Shop/"}));
  CHECK_FALSE(stops(restart, {"/srv/other"}));
  CHECK(stops(restart, {"/srv/other", {"COMPOSE_PROJECT_NAME=shop"}}));
  CHECK_FALSE(stops(restart, {"/opt/shop", {"COMPOSE_PROJECT_NAME=other"}}));
  CHECK(stops({"sh", "-c", "cd /opt/shop && docker compose restart"}, {"/"}));
}

TEST_CASE("our own pod and its Deployment are found in our namespace, and nothing else that has their name") {
  const Pod pod;
  for (const Argv& argv :
       {Argv{"kubectl", "delete", "pod", "watcher-7f9c4d5b6-x2x4z"},
        Argv{"kubectl", "rollout", "restart", "deployment/watcher"},
        Argv{"kubectl", "-n", "shop", "rollout", "undo", "deployment", "watcher"},
        Argv{"kubectl", "scale", "--replicas=0", "deploy/watcher"}, Argv{"kubectl", "delete", "pods", "--all"},
        Argv{"kubectl", "set", "image", "deployments.apps/watcher", "watcher=x"},
        Argv{"kubectl", "delete", "namespace", "shop"}})
    CHECK(stops(argv));
  for (const Argv& argv :
       {Argv{"kubectl", "rollout", "restart", "deployment/web"},
        Argv{"kubectl", "rollout", "status", "deployment/watcher"},
        Argv{"kubectl", "-n", "other", "rollout", "restart", "deployment/watcher"},
        Argv{"kubectl", "delete", "configmap", "watcher"}, Argv{"kubectl", "delete", "configmap/watcher"},
        Argv{"kubectl", "delete", "namespace", "other"}, Argv{"kubectl"}})
    CHECK_FALSE(stops(argv));
}

TEST_CASE("what Docker says of our container is its name without the slash, and what Compose calls it") {
  const watcher::OwnContainer said = watcher::own_container_said(id, "/shop-rollbackd-1\tshop\trollbackd\t/opt/shop\n");
  CHECK(said.id == id);
  CHECK(said.name == "shop-rollbackd-1");
  CHECK(said.project == "shop");
  CHECK(said.service == "rollbackd");
  CHECK(said.dir == "/opt/shop");
  const watcher::OwnContainer alone = watcher::own_container_said(id, "/watcher\t\t\t\n");
  CHECK(alone.name == "watcher");
  CHECK(alone.project.empty());
  CHECK(watcher::own_container_said(id, "").name.empty());
}
