#include <unistd.h>

#include "drivers_support.hpp"

// The driver with a docker of the test's: it answers from files, and writes down what it is told to do.

namespace {

using namespace drivers_support;

const std::string image_one = "sha256:" + std::string(64, 'a');
const std::string image_two = "sha256:" + std::string(64, 'b');

constexpr const char* docker_script = R"sh(cd "${0%/*}"
[ ! -e broken ] || { cat broken >&2; exit 1; }
case "$*" in
  "compose version --short") echo 2.26.1 ;;
  "version --format "*) echo 20.10.24 ;;
  ps\ --no-trunc*) if [ -e all ]; then cat all; else cat ps; fi ;;
  ps*) cat ps ;;
  inspect*p1*) cat all.json ;;
  inspect*) cat inspect.json ;;
  "image inspect --format {{json"*) echo '["shop@sha256:9999"]' ;;
  "image inspect --format {{.Id}}"*) [ ! -e gone ] || { echo "Error: No such image: $(cat gone)" >&2; exit 1; }; [ ! -e id ] || cat id ;;
  tag*) echo "$*" >>told ;;
  compose*" up "*) echo "$*" >>told; cat >read
    [ ! -e collides ] || { mv collides collided; [ ! -e theirs.json ] || mv theirs.json inspect.json; cat collided >&2; exit 1; }
    [ ! -e next.json ] || mv next.json inspect.json; [ ! -e all.next ] || mv all.next all; [ ! -e fails ] ;;
  *"config --hash="*) cat hashes ;;
  *"config --services") echo web; echo db ;;
  *"config") cat configuration ;;
  *) echo "unknown: $*" >&2; exit 9 ;;
esac
)sh";

struct Project {
  Folder folder;
  CountingClock clock;
  watcher::ComposeDriver config;

  Project() {
    config.dir = folder.path;
    config.compose = {script(folder.path + "/docker", docker_script), "compose"};
    write(folder.path + "/docker-compose.yml", "services: {}\n");
    write(folder.path + "/ps", "c1\tshop\tweb\t" + folder.path + "\n");
    write(folder.path + "/configuration", "services:\n  web:\n    image: shop:v1\n");
    runs("inspect.json", image_one, "shop:v1");
    write(folder.path + "/hashes", "web h1\n");
  }
  void runs(const std::string& file, const std::string& image, const std::string& name, const std::string& env = "") {
    write(folder.path + "/" + file,
          R"([{"Id":"c1","Name":"/shop-web-1","Created":"2026-11-29T10:00:00Z","Image":")" + image +
              R"(","State":{"Status":"running"},"Config":{"Image":")" + name + R"(","Env":["A=)" + env +
              R"("],"Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web",)" +
              R"("com.docker.compose.config-hash":"h1","com.docker.compose.project.working_dir":")" + folder.path +
              R"("}}}])");
  }
  // Beside it runs what has its network, and one in the network of that; another project's has its processes.
  void is_shared() {
    const auto one = [](const std::string& id, const std::string& project, const std::string& service,
                        const std::string& mode) {
      return R"({"Id":")" + id + R"(","Name":"/)" + project + "-" + service + R"(-1","Image":"sha256:of-)" + service +
             R"(","State":{"Status":"running"},"HostConfig":{)" + mode + R"(},"Config":{"Labels":{)" +
             R"("com.docker.compose.project":")" + project + R"(","com.docker.compose.service":")" + service +
             R"("}}})";
    };
    write(folder.path + "/all", "c1\np1\np2\np3\np4\n");
    write(folder.path + "/all.json", "[" + one("p2", "shop", "exporter", R"("NetworkMode":"container:p1")") + "," +
                                         one("p1", "shop", "proxy", R"("NetworkMode":"container:c1")") + "," +
                                         one("p3", "other", "debug", R"("PidMode":"container:shop-web-1")") + "," +
                                         one("p4", "shop", "db", R"("NetworkMode":"shop_default")") + "]");
  }
  std::unique_ptr<watcher::Driver> driver() {
    watcher::DriverSection section;
    section.service = rules::ServiceName("web");
    section.driver = config;
    return watcher::make_driver(section, folder.path + "/state", clock);
  }
  // What runs is looked at and noted, as a watcher does it; the revision.
  std::string noted(watcher::Driver& driver) {
    const std::string revision = running(driver);
    run_here(driver.still_ready(std::nullopt));
    return revision;
  }
  // The first release was noted, the second runs.
  std::string second(watcher::Driver& driver) {
    const std::string first = noted(driver);
    runs("inspect.json", image_two, "shop:v2");
    write(folder.path + "/configuration", "services:\n  web:\n    image: shop:v2\n");
    noted(driver);
    return first;
  }
  std::string told() { return content(folder.path + "/told"); }
};

}  // namespace

TEST_CASE("a Compose service is identified by its containers, and noted under a tag by the watcher's own look alone") {
  Project project;
  const auto driver = project.driver();
  const std::string revision = running(*driver);
  CHECK(revision.starts_with("aaaaaaaaaaaa-"));
  CHECK(ready(*driver).reason == "");
  CHECK(project.told().empty());
  CHECK_FALSE(std::filesystem::exists(project.folder.path + "/state"));
  CHECK(contains(ready(*driver, revision).reason, "was never seen to run here"));
  project.noted(*driver);
  CHECK(project.told() == "tag " + image_one + " rollbackd/shop-web:" + revision + "\n");
  CHECK(ready(*driver, revision).ready);
  project.noted(*driver);
  CHECK(project.told() == "tag " + image_one + " rollbackd/shop-web:" + revision + "\n");
  // As a watcher that was started anew.
  CHECK(ready(*project.driver(), revision).ready);
}

TEST_CASE("a switch of Compose gives it the whole configuration with the image pinned, for the service alone") {
  Project project;
  const auto driver = project.driver();
  const std::string first = project.second(*driver);
  const std::string second = running(*driver);
  CHECK(run_here(driver->taken_back(rules::Revision(second), rules::Revision(first), 5)).front() ==
        "web: shop:v2 (bbbbbbbbbbbb), back to shop:v1 (aaaaaaaaaaaa)");
  CHECK(run_here(driver->meaning_of("v1")).meant == std::vector<rules::Revision>{rules::Revision(first)});
  project.runs("next.json", image_one, image_one);
  const rules::StepResult result = switch_to(*driver, second, first);
  CAPTURE(result.detail);
  CHECK(result.status == rules::StepStatus::succeeded);
  CHECK(contains(project.told(), "compose -f - -p shop --project-directory " + project.folder.path +
                                     " up --detach --no-deps --no-build web\n"));
  CHECK(content(project.folder.path + "/read") ==
        "services:\n  web:\n    image: '" + image_one + "'\n    pull_policy: never\n");
  CHECK(contains(driver->aftermath(), "let them say shop:v1 (aaaaaaaaaaaa)"));
  CHECK(running(*driver) == first);
}

TEST_CASE(
    "a switch of Compose to what the files say again leaves nothing to do but to know of a name that leads elsewhere") {
  for (const std::string& named : {image_one, image_two}) {
    Project project;
    const auto driver = project.driver();
    const std::string first = project.second(*driver);
    const std::string second = running(*driver);
    project.runs("next.json", image_one, image_one);
    write(project.folder.path + "/configuration", "services:\n  web:\n    image: shop:v1\n");
    write(project.folder.path + "/id", named + "\n");
    CHECK(switch_to(*driver, second, first).status == rules::StepStatus::succeeded);
    CHECK(contains(driver->aftermath(), "still say what was left") == (named == image_two));
  }
}

TEST_CASE("a switch of Compose that fails before it began changes nothing, one that fails later says what runs") {
  Project project;
  const auto driver = project.driver();
  const std::string first = project.second(*driver);
  const std::string second = running(*driver);
  write(project.folder.path + "/gone", image_one);
  CHECK(switch_to(*driver, second, first).nothing_begun);
  CHECK(switch_to(*driver, second, "never-seen").nothing_begun);
  CHECK_FALSE(contains(project.told(), " up "));
  std::filesystem::remove(project.folder.path + "/gone");
  write(project.folder.path + "/fails", "");
  const rules::StepResult failed = switch_to(*driver, second, first);
  CHECK(failed.status == rules::StepStatus::failed);
  CHECK_FALSE(failed.nothing_begun);
  CHECK(contains(failed.detail, second + " still runs"));
  std::filesystem::remove(project.folder.path + "/fails");
  const rules::StepResult lied = switch_to(*driver, second, first);
  CHECK(lied.status == rules::StepStatus::failed);
  CHECK(contains(lied.detail, "reported success, but " + second + " runs, not " + first));
}

TEST_CASE("a switch of Compose that has no time left when it would begin is not begun") {
  Project project;
  const auto driver = project.driver();
  const std::string first = project.second(*driver);
  const rules::StepResult late = switch_without_time(*driver, running(*driver), first);
  CHECK(late.status == rules::StepStatus::timed_out);
  CHECK(late.nothing_begun);
  CHECK(contains(late.detail, "looking at what runs took all of the time that there is, so nothing was begun"));
  CHECK_FALSE(contains(project.told(), " up "));
}

TEST_CASE("what would be in the way of a switch of Compose is told before") {
  Project project;
  const auto driver = project.driver();
  const std::string first = project.second(*driver);
  const std::string file = project.folder.path + "/docker-compose.yml";
  CHECK(ready(*driver, first).ready);
  write(project.folder.path + "/gone", image_one);
  CHECK(contains(ready(*driver, first).reason,
                 "is gone from this host: shop:v1 (aaaaaaaaaaaa); do docker pull shop@sha256:9999"));
  std::filesystem::remove(project.folder.path + "/gone");
  REQUIRE(::chmod(file.c_str(), 0666) == 0);
  CHECK(contains(ready(*driver, first).reason, "other users could change the Compose file"));
  CHECK(switch_to(*driver, running(*driver), first).nothing_begun);
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  write(project.folder.path + "/broken", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n");
  CHECK(contains(ready(*driver, first).reason, "systemctl start docker"));
  CHECK(contains(identify(*driver).error, "systemctl start docker"));
  std::filesystem::remove(project.folder.path + "/broken");
  project.config.files = {project.folder.path + "/none.yml"};
  CHECK(contains(ready(*project.driver(), first).reason, "none.yml is not there"));
  project.config.files.clear();
  project.config.services = {"worker"};
  CHECK(contains(ready(*project.driver()).reason, "has no service \"worker\""));
}

TEST_CASE("a revision of which the files are no longer those that made it is no target, and it is said why") {
  Project project;
  write(project.folder.path + "/hashes", "web other\n");
  const auto driver = project.driver();
  const std::string first = project.noted(*driver);
  CHECK(contains(ready(*driver, first).reason, "what " + first + " was configured with is not known"));
  // What is noted later with the same settings serves it, too.
  write(project.folder.path + "/hashes", "web h1\n");
  project.runs("inspect.json", image_two, "shop:v2");
  project.noted(*driver);
  CHECK(ready(*driver, first).ready);
  project.runs("inspect.json", image_two, "shop:v2", "other");
  write(project.folder.path + "/hashes", "web other\n");
  const std::string third = project.noted(*driver);
  CHECK_FALSE(ready(*driver, third).ready);
}

TEST_CASE("what shares the network of a Compose service is made anew with it from the image that it has, and named") {
  Project project;
  const std::string sharing =
      "  proxy:\n    image: proxy:latest\n    network_mode: service:web\n  exporter:\n    image: e\n";
  const auto driver = project.driver();
  write(project.folder.path + "/configuration", "services:\n  web:\n    image: shop:v1\n" + sharing);
  const std::string first = project.noted(*driver);
  project.runs("inspect.json", image_two, "shop:v2");
  write(project.folder.path + "/configuration", "services:\n  web:\n    image: shop:v2\n" + sharing);
  const std::string second = project.noted(*driver);
  project.is_shared();
  CHECK(ready(*driver, first).reason == "");
  project.runs("next.json", image_one, image_one);
  const rules::StepResult result = switch_to(*driver, second, first);
  CAPTURE(result.detail);
  CHECK(result.status == rules::StepStatus::succeeded);
  CHECK(contains(project.told(), " up --detach --no-deps --no-build --force-recreate web exporter proxy\n"));
  CHECK(contains(content(project.folder.path + "/read"),
                 "  proxy:\n    image: 'sha256:of-proxy'\n    pull_policy: never\n    network_mode: service:web\n"));
  CHECK(contains(driver->aftermath(), "proxy shares the network, or the like, of what was switched: it was made anew"));
  CHECK(
      contains(driver->aftermath(), "other-debug-1 shared the network, or the like, of what was switched and is cut"));
  CHECK_FALSE(contains(driver->aftermath(), "does not run with what runs now"));
  CHECK(contains(result.detail, "proxy shares"));
}

TEST_CASE("what shares the network of a Compose service and could not be made anew with it is told before") {
  Project project;
  const auto driver = project.driver();
  const std::string first = project.noted(*driver);
  project.runs("inspect.json", image_two, "shop:v2");
  write(project.folder.path + "/configuration",
        "services:\n  web:\n    image: shop:v2\n  proxy:\n    image: p\n    network_mode: service:web\n");
  const std::string second = project.noted(*driver);
  project.is_shared();
  CHECK(contains(ready(*driver, first).reason, "shares the network, or the like, of what would be made anew"));
  CHECK(switch_to(*driver, second, first).nothing_begun);
  CHECK_FALSE(contains(project.told(), " up "));
}

TEST_CASE("what shared the network of a Compose service and does not run with the new one is told after the switch") {
  Project project;
  const auto driver = project.driver();
  const std::string sharing = "  proxy:\n    image: p\n    network_mode: service:web\n  exporter:\n    image: e\n";
  write(project.folder.path + "/configuration", "services:\n  web:\n    image: shop:v1\n" + sharing);
  const std::string first = project.noted(*driver);
  project.runs("inspect.json", image_two, "shop:v2");
  const std::string second = project.noted(*driver);
  project.is_shared();
  project.runs("next.json", image_one, image_one);
  write(project.folder.path + "/all.next", "c1\n");
  CHECK(switch_to(*driver, second, first).status == rules::StepStatus::succeeded);
  CHECK(contains(driver->aftermath(), "proxy does not run with what runs now"));
}

TEST_CASE("a switch of Compose in whose way somebody's own up gets is gone on with, and what ran is not put back") {
  for (const char* const said : {"Error response from daemon: removal of container 6f2e is already in progress",
                                 "Error response from daemon: Conflict. The container name \"/shop-web-1\" is already "
                                 "in use by container \"6f2e\""}) {
    Project project;
    const auto driver = project.driver();
    const std::string first = project.second(*driver);
    const std::string second = running(*driver);
    project.runs("next.json", image_one, image_one);
    write(project.folder.path + "/collides", said);
    const rules::StepResult result = switch_to(*driver, second, first);
    CAPTURE(result.detail);
    CHECK(result.status == rules::StepStatus::succeeded);
    CHECK(contains(result.output, "Somebody else worked on the same containers; the same is done again"));
    CHECK(contains(content(project.folder.path + "/read"), image_one));
    CHECK(running(*driver) == first);
  }
}

TEST_CASE("a switch of Compose in whose way somebody's deployment of another release gets leaves that alone") {
  Project project;
  const auto driver = project.driver();
  const std::string first = project.second(*driver);
  const std::string second = running(*driver);
  project.runs("next.json", image_one, image_one);
  project.runs("theirs.json", "sha256:" + std::string(64, 'c'), "shop:v3");
  write(project.folder.path + "/collides", "Error response from daemon: No such container: 6f2e");
  const rules::StepResult result = switch_to(*driver, second, first);
  CHECK(result.status == rules::StepStatus::failed);
  CHECK(contains(result.detail, "Somebody else deployed cccccccccccc-"));
  CHECK(contains(result.detail, "nothing was put back against it"));
  CHECK(running(*driver).starts_with("cccccccccccc-"));
  CHECK(driver->aftermath().empty());
}
