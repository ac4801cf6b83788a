#include "watcher/drivers/compose_document.hpp"
#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/compose_names.hpp"
#include "watcher/drivers/compose_reading.hpp"
#include "watcher/drivers/compose_records.hpp"
#include "watcher/drivers/compose_switch.hpp"

#include "drivers_support.hpp"

namespace {

using namespace drivers_support;
using watcher::ComposeContainer;
using watcher::ComposeRecord;
using watcher::ComposeRecords;

const std::string image_one = "sha256:" + std::string(64, 'a');
const std::string image_two = "sha256:" + std::string(64, 'b');

struct Written {
  std::string image = image_one;
  std::string env = R"(["PATH=/bin","COLOUR=blue","NAME=shop"])";
  std::string labels = R"("com.docker.compose.config-hash":"1111","com.docker.compose.version":"1.29.2")";
  std::string host = R"("NetworkMode":"shop_default","Memory":0,"CapAdd":["B","A"],"Devices":null)";
  std::string mounts = R"({"Type":"volume","Name":"shop_data","Source":"/var/lib/x","Destination":"/data","RW":true})";
  std::string state = R"("Status":"running","ExitCode":0,"StartedAt":"2026-11-29T10:00:01Z")";
  std::string created = "2026-11-29T10:00:00.5Z";
  std::string service = "web";

  std::string text() const {
    return R"([{"Id":"c1","Name":"/shop_web_1","Created":")" + created + R"(","Image":")" + image +
           R"(","RestartCount":0,"State":{)" + state + R"(},"HostConfig":{)" + host + R"(},"Mounts":[)" + mounts +
           R"(],"NetworkSettings":{"Networks":{"shop_default":{"NetworkID":"1"}}},"Config":{"Image":"shop:v1","Env":)" +
           env + R"(,"Cmd":["/app","-x"],"ExposedPorts":{"80/tcp":{}},"Labels":{"com.docker.compose.project":"shop",)" +
           R"("com.docker.compose.service":")" + service +
           R"(","com.docker.compose.project.working_dir":"/opt/shop",)" + labels + "}}}]";
  }
  ComposeContainer container() const {
    auto parsed = watcher::parse_containers(text());
    REQUIRE(std::holds_alternative<std::vector<ComposeContainer>>(parsed));
    return std::get<std::vector<ComposeContainer>>(parsed).front();
  }
};

std::string revision_of(const std::vector<Written>& all, const std::vector<std::string>& services = {"web"}) {
  std::vector<ComposeContainer> containers;
  for (const Written& one : all) containers.push_back(one.container());
  return watcher::compose_look(containers, services).revision;
}

ComposeRecord record(const std::string& revision, std::int64_t seen, const std::string& image = image_one,
                     const std::string& settings = "s1") {
  ComposeRecord out;
  out.revision = rules::Revision(revision);
  out.last_seen = seen;
  out.images["web"] = {image, "shop:" + revision, {}, "rollbackd/shop-web:" + revision, settings};
  return out;
}

}  // namespace

TEST_CASE("a container is read from what docker inspect prints") {
  const ComposeContainer one = Written().container();
  CHECK(one.name == "shop_web_1");
  CHECK(one.project == "shop");
  CHECK(one.service == "web");
  CHECK(one.working_dir == "/opt/shop");
  CHECK(one.image == image_one);
  CHECK(one.image_name == "shop:v1");
  CHECK(one.config_hash == "1111");
  CHECK(one.runs());
  for (const char* const text : {"", "{}", "[5]", "[{}]", "nonsense"})
    CHECK(std::holds_alternative<std::string>(watcher::parse_containers(text)));
}

TEST_CASE("the revision is the image's id and a hash of the settings, whatever their order and Compose's own labels") {
  const std::string revision = revision_of({Written()});
  CHECK(revision.size() == 25);
  CHECK(revision.starts_with("aaaaaaaaaaaa-"));
  CHECK(rules::is_safe_in_argv(rules::Revision(revision)));
  Written same;
  same.env = R"(["NAME=shop","PATH=/bin","COLOUR=blue"])";
  same.labels = R"("com.docker.compose.config-hash":"2222","com.docker.compose.image":"x")";
  same.host = R"("Memory":0,"CapAdd":["A","B"],"NetworkMode":"shop_default","Ulimits":[],"Privileged":false)";
  same.mounts += R"(,{"Type":"volume","Name":")" + std::string(64, '1') + R"(","Destination":"/scratch","RW":true})";
  same.created = "2026-11-30T10:00:00Z";
  CHECK(revision_of({same}) == revision);
  const auto differs = [&](const auto& change) {
    Written other;
    change(other);
    return revision_of({other}) != revision;
  };
  CHECK(differs([](Written& one) { one.image = image_two; }));
  CHECK(differs([](Written& one) { one.env = R"(["PATH=/bin","COLOUR=green","NAME=shop"])"; }));
  CHECK(differs([](Written& one) { one.labels += R"(,"team":"a")"; }));
  CHECK(differs([](Written& one) { one.host = R"("NetworkMode":"host")"; }));
  CHECK(differs([](Written& one) { one.mounts = ""; }));
}

TEST_CASE("a namespace that is another container's is not known by that one's id") {
  Written one, other;
  one.host = R"("NetworkMode":"container:111")";
  other.host = R"("NetworkMode":"container:222")";
  CHECK(revision_of({one}) == revision_of({other}));
}

TEST_CASE("what has ended is still deployed, and the newest of it counts") {
  Written ended, older, running;
  ended.state = older.state = R"("Status":"exited","ExitCode":3)";
  ended.created = "2026-11-29T10:00:02Z";
  ended.image = image_two;
  CHECK(revision_of({older, ended}) == revision_of({ended}));
  CHECK(revision_of({ended, older}) == revision_of({ended}));
  CHECK(revision_of({ended, running}) == revision_of({running}));
  Written later = ended;
  later.created = "2026-11-29T10:00:02.1Z";
  later.image = image_one;
  CHECK(revision_of({later, ended}) == revision_of({later}));
}

TEST_CASE("replicas that are not alike and services without a container are no revision, and it is said which") {
  Written one, other;
  other.image = image_two;
  const auto look = watcher::compose_look({one.container(), other.container()}, {"web"});
  CHECK(look.revision.empty());
  CHECK(contains(look.error, "do not agree"));
  CHECK(look.differ);
  CHECK(contains(look.error, "aaaaaaaaaaaa"));
  const auto half = watcher::compose_look({one.container()}, {"web", "worker"});
  CHECK(contains(half.error, "no container of worker"));
  CHECK_FALSE(half.absent);
  CHECK(watcher::compose_look({}, {"web"}).absent);
}

TEST_CASE("several services have a revision of all their images") {
  Written web, worker;
  worker.service = "worker";
  worker.image = image_two;
  CHECK(revision_of({web, worker}, {"web", "worker"}).starts_with("aaaaaaaaaaaa.bbbbbbbbbbbb-"));
  CHECK(revision_of({worker, web}, {"worker", "web"}) == revision_of({web, worker}, {"web", "worker"}));
}

TEST_CASE("the project is the one whose folder it is, whatever it is called") {
  watcher::ComposeDriver config;
  config.dir = "/opt/shop";
  const auto listed = watcher::parse_listed(
      "1\tother\tweb\t/opt/other\n2\tlive\tweb\t/opt/shop\n3\tlive\tdb\t/opt/shop\n4\tshop\tweb\t\n");
  REQUIRE(listed.size() == 4);
  auto chosen = watcher::chosen_of(listed, config, {"web"});
  CHECK(chosen.project == "live");
  CHECK(chosen.ids == std::vector<std::string>{"2"});
  config.project = "shop";
  CHECK(watcher::chosen_of(listed, config, {"web"}).ids == std::vector<std::string>{"4"});
  config.project.clear();
  config.dir = "/opt/Sh.op";  // nothing says its folder: the name is made from it
  CHECK(watcher::chosen_of(listed, config, {"web"}).ids == std::vector<std::string>{"4"});
  config.dir = "/opt";
  config.files = {"/opt/shop/prod.yml"};
  CHECK(watcher::chosen_of(listed, config, {"web", "db"}).ids == std::vector<std::string>{"2", "3"});
}

TEST_CASE("of several projects from one folder it has to be said which") {
  watcher::ComposeDriver config;
  config.dir = "/opt/shop";
  const auto listed = watcher::parse_listed("1\tblue\tweb\t/opt/shop\n2\tgreen\tweb\t/opt/shop\n");
  CHECK(contains(watcher::chosen_of(listed, config, {"web"}).error, "several projects"));
  CHECK(contains(watcher::chosen_of(listed, config, {"web"}).error, "blue green"));
}

TEST_CASE("a pinned configuration has the image, and nothing by which another would be built or pulled") {
  const std::string written =
      "name: shop\nservices:\n  db:\n    image: pg:15\n  web:\n    build:\n      args:\n        A: |-\n          x\n\n"
      "          image: y\n      context: /opt\n    command:\n    - sh\n    environment:\n      image: kept\n    "
      "image: shop:v2\n"
      "    pull_policy: always\n    ports: []\nvolumes:\n  web:\n    image: no\n";
  const auto made = watcher::pinned(written, {{"web", image_one}}, true);
  REQUIRE(std::holds_alternative<watcher::ComposePinned>(made));
  CHECK(std::get<watcher::ComposePinned>(made).text ==
        "name: shop\nservices:\n  db:\n    image: pg:15\n  web:\n    image: '" + image_one +
            "'\n    pull_policy: never\n    command:\n    - sh\n    environment:\n      image: kept\n    ports: []\n"
            "volumes:\n  web:\n    image: no\n");
  CHECK(std::get<std::string>(watcher::pinned(written, {{"worker", image_one}}, true)) ==
        "the project's configuration has no service \"worker\"");
  const auto quoted = watcher::pinned("services:\n  'on':\n    image: x\n", {{"on", image_one}}, false);
  CHECK(std::get<watcher::ComposePinned>(quoted).text == "services:\n  'on':\n    image: '" + image_one + "'\n");
}

TEST_CASE("records come back from their file as they were, also bytes that are no text") {
  Folder folder;
  const watcher::ComposeFile file(folder.path, "web");
  CHECK(file.read()->records.empty());
  ComposeRecords records;
  records.records.push_back(record("r1", 5));
  records.records[0].configuration = "services:\n  web: {}\n";
  records.records[0].kept[".env"] = std::string("A=\xff\0b", 5);
  records.records[0].images["web"].digests = {"shop@sha256:1"};
  records.aftermath = {"one", "two"};
  REQUIRE_FALSE(file.write(records));
  const auto read = file.read();
  REQUIRE(read);
  CHECK(watcher::to_json(*read) == watcher::to_json(records));
  CHECK(read->records[0].kept.at(".env") == std::string("A=\xff\0b", 5));
  struct stat info {};
  REQUIRE(::stat(file.path().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  for (const char* const text : {"", "[]", "{\"records\":5}", "{\"records\":[{}]}"}) {
    write(file.path(), text);
    CHECK_FALSE(file.read());
  }
}

TEST_CASE("the oldest records go, but never one that is needed") {
  ComposeRecords records;
  for (int i = 0; i < 12; ++i) records.records.push_back(record("r" + std::to_string(i), i));
  const auto dropped = watcher::drop_oldest(records, {rules::Revision("r0")});
  REQUIRE(dropped.size() == 2);
  CHECK(dropped[0].revision.text == "r1");
  CHECK(dropped[1].revision.text == "r2");
  CHECK(records.find(rules::Revision("r0")) != nullptr);
}

TEST_CASE("a configuration serves every revision that was made with the same settings") {
  ComposeRecords records;
  records.records = {record("r1", 1, image_one, "s1"), record("r2", 2, image_two, "s1"),
                     record("r3", 3, image_two, "s2")};
  records.records[1].configuration = "known";
  CHECK(records.configuration_of(rules::Revision("r2")) == "known");
  CHECK(records.configuration_of(rules::Revision("r1")) == "known");
  CHECK(records.configuration_of(rules::Revision("r3")).empty());
  CHECK(records.configuration_of(rules::Revision("r4")).empty());
}

TEST_CASE("people's names for revisions are tags, images and beginnings") {
  ComposeRecords records;
  records.records = {record("aaaaaaaaaaaa-1111", 1), record("bbbbbbbbbbbb-2222", 2, image_two)};
  records.records[0].images["web"].name = "registry.example:5000/shop:v1";
  records.records[1].images["web"].name = "shop:v2";
  records.records[1].images["web"].digests = {"shop@sha256:9999"};
  const auto meant = [&](const std::string& name) {
    std::string out;
    for (const rules::Revision& one : watcher::revisions_named(records, name).meant) out += one.text.substr(0, 1);
    return out;
  };
  CHECK(meant("aaaaaaaaaaaa-1111") == "a");
  CHECK(meant("aaaa") == "a");
  CHECK(meant("v1") == "a");
  CHECK(meant("shop:v2") == "b");
  CHECK(meant("sha256:9999") == "b");
  CHECK(meant(image_two) == "b");
  CHECK(meant("aaa").empty());
  CHECK(meant("op:v2").empty());
  CHECK(contains(watcher::revisions_named(records, "v9").why_none, "\"v9\""));
  records.records[0].images["web"].name = "shop:v2";
  CHECK(meant("v2") == "ab");
}

TEST_CASE("what a switch takes back is told by the images' names") {
  ComposeRecords records;
  records.records = {record("v1", 1), record("v2", 2, image_two), record("v3", 3, image_two, "s2")};
  const auto lines = [&](const std::string& from, const std::string& to) {
    const auto all = watcher::images_between(records, rules::Revision(from), rules::Revision(to), 5);
    return all.empty() ? std::string() : all.front();
  };
  CHECK(lines("v2", "v1") == "web: shop:v2 (bbbbbbbbbbbb), back to shop:v1 (aaaaaaaaaaaa)");
  CHECK(lines("v3", "v2") == "web: settings that shop:v2 (bbbbbbbbbbbb) was started with");
  CHECK(lines("v1", "v1").empty());
  CHECK(lines("v9", "v1").empty());
}

TEST_CASE("containers are up when they run and their health check, if there is one, says so") {
  const auto progress = [](const std::string& state, int restarts = 0) {
    Written one;
    one.state = state;
    ComposeContainer container = one.container();
    container.restarts = restarts;
    return watcher::progress_of(watcher::compose_look({container}, {"web"}), {"web"});
  };
  const auto healthy = progress(R"("Status":"running","Health":{"Status":"healthy"})");
  CHECK(healthy.is_up);
  CHECK(healthy.is_certain);
  const auto plain = progress(R"("Status":"running")");
  CHECK(plain.is_up);
  CHECK_FALSE(plain.is_certain);
  const auto starting = progress(R"("Status":"running","Health":{"Status":"starting"})");
  CHECK_FALSE(starting.is_up);
  CHECK(starting.failed.empty());
  CHECK(contains(starting.awaited, "starting"));
  CHECK(contains(progress(R"("Status":"running","Health":{"Status":"unhealthy"})").failed, "is unhealthy"));
  CHECK(contains(progress(R"("Status":"exited","ExitCode":3)").failed, "exit code 3"));
  CHECK(contains(progress(R"("Status":"exited","ExitCode":137,"OOMKilled":true)").failed, "want of memory"));
  CHECK(progress(R"("Status":"restarting")", 1).failed.empty());
  CHECK_FALSE(progress(R"("Status":"restarting")", 3).failed.empty());
  CHECK_FALSE(progress(R"("Status":"created")").is_up);
  CHECK(contains(watcher::progress_of(watcher::compose_look({}, {"web"}), {"web"}).awaited, "no container of web"));
}

TEST_CASE("what Compose makes again from an id and the configuration as it was is the same revision") {
  for (const std::string generation : {"first", "second"}) {
    CAPTURE(generation);
    const auto read = [&](const std::string& when) {
      const std::string text =
          content(std::string(SOURCE_DIR) + "/tests/watcher/compose/" + generation + "_" + when + ".json");
      auto parsed = watcher::parse_containers(text);
      REQUIRE(std::holds_alternative<std::vector<ComposeContainer>>(parsed));
      return watcher::compose_look(std::get<std::vector<ComposeContainer>>(parsed), {"web"});
    };
    const auto made = read("made");
    const auto again = read("made_again");
    CHECK(made.error.empty());
    CHECK(made.revision.starts_with("e05b7782fd2f-"));
    CHECK(made.runs.at("web").configured == again.runs.at("web").configured);
    CHECK(made.revision == again.revision);
    CHECK(made.runs.at("web").config_hash != again.runs.at("web").config_hash);
    CHECK(contains(made.runs.at("web").configured, "mount=volume shop_kept at /kept\n"));
    CHECK_FALSE(contains(made.runs.at("web").configured, "/scratch"));
  }
}
