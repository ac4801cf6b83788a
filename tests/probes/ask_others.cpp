#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "ask_fixture.hpp"
#include "probes/net/child.hpp"
#include "rules/signals/selector.hpp"
#include "scripted_server.hpp"
#include "test_folder.hpp"

namespace {

using namespace std::chrono_literals;
using probes::ExecFormat;
using probes::ExecProbe;
using probes::HostProbe;
using probes::PrometheusProbe;
using probes::TcpProbe;
using rules::FaultKind;
using rules::Up;
using namespace tests;

PrometheusProbe page_at(const std::string& url, const std::string& selector) {
  PrometheusProbe what;
  what.urls.push_back({url, false});
  what.keep.push_back(std::get<rules::Selector>(rules::parse_selector(selector)));
  return what;
}

ExecProbe shell(const std::string& script, ExecFormat format) {
  ExecProbe what;
  what.run = {"/bin/sh", "-c", script};
  what.format = format;
  return what;
}

rules::Poll run(const ExecProbe& what, rules::Duration timeout = 10s) { return Asked(config_of(what, timeout)).poll(); }

// Files as below /proc and /sys/fs/cgroup.
struct Tree {
  TestFolder folder;
  std::filesystem::path root = folder.path;
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  HostProbe host() const {
    HostProbe what;
    what.proc = root / "proc";
    what.cgroup_root = root / "cgroup";
    return what;
  }
  void write_proc() const {
    write("proc/meminfo",
          "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\nSwapTotal: 100 kB\nSwapFree: 90 kB\n");
    write("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n");
    write("proc/loadavg", "0.50 0.25 0.10 1/100 1234\n");
    write("proc/pressure/memory",
          "some avg10=5.00 avg60=1.00 avg300=0.00 total=1\nfull avg10=2.00 avg60=0.00 avg300=0.00 total=1\n");
  }
};

}  // namespace

TEST_CASE("a metrics page yields the series that are wanted, poll after poll") {
  const ScriptedServer server(
      always(response(200, "# TYPE hits counter\nhits{code=\"200\"} 5\nhits{code=\"500\"} 2\nother 1\n")));
  Asked asked(config_of(page_at(server.url("/metrics"), "hits{code=\"500\"}")));
  for (int i = 0; i < 3; ++i) {
    const rules::Poll poll = asked.poll();
    CHECK(poll.up == Up::up);
    CHECK(value_of(poll, "hits{code=\"500\"}") == 2.0);
    CHECK_FALSE(value_of(poll, "hits{code=\"200\"}").has_value());
    CHECK(value_of(poll, "duration").has_value());
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("a large page that comes in pieces reads like a whole one") {
  std::string page;
  for (int i = 0; i < 5000; ++i) page += "padding_" + std::to_string(i) + "{label=\"value\"} 1\n";
  page += "hits 42\n";
  const ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.send_slowly(response(200, page), 7001, 0ms);
  });
  CHECK(value_of(Asked(config_of(page_at(server.url(), "hits"))).poll(), "hits") == 42.0);
}

TEST_CASE(
    "SPEC 2.3: a page that is not metrics is a parse fault, never a wrong value, and the next page is read again") {
  const ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.send(response(200, "<html>\n<p>no hits 1</p>\n</html>\n"));
    peer.read_request();
    peer.send(response(200, "hits 2\n"));
    peer.read_request();
  });
  Asked asked(config_of(page_at(server.url(), "hits")));
  rules::Poll poll = asked.poll();
  CHECK(poll.up == Up::unknown);
  REQUIRE(poll.fault.has_value());
  CHECK(poll.fault->kind == FaultKind::parse);
  CHECK_FALSE(value_of(poll, "hits").has_value());
}

TEST_CASE("a page fetched after a truncated one holds nothing of it") {
  const ScriptedServer server({[](Peer& peer) {
                                 peer.read_request();
                                 peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhits 1\nhi");
                               },
                               always(response(200, "hits 2\n"))});
  Asked asked(config_of(page_at(server.url(), "hits")));
  const rules::Poll cut = asked.poll();
  CHECK(cut.up == Up::down);
  CHECK_FALSE(value_of(cut, "hits").has_value());
  CHECK(value_of(asked.poll(), "hits") == 2.0);
}

TEST_CASE("SPEC 2.3: an error page is judged by its status") {
  const ScriptedServer broken(always(response(500, "hits 1\n")));
  CHECK(Asked(config_of(page_at(broken.url(), "hits"))).poll().up == Up::down);
  const ScriptedServer missing(always(response(404, "hits 1\n")));
  const rules::Poll poll = Asked(config_of(page_at(missing.url(), "hits"))).poll();
  CHECK(poll.up == Up::unknown);
  CHECK_FALSE(value_of(poll, "hits").has_value());
}

TEST_CASE("several addresses are several instances") {
  const ScriptedServer first(always(response(200, "hits 1\n")));
  const ScriptedServer second(always(response(200, "hits 2\n")));
  PrometheusProbe what = page_at(first.url(), "hits");
  what.urls.push_back({second.url(), false});
  Asked asked(config_of(what), 1);
  const rules::Poll poll = asked.poll();
  CHECK(asked.list.size() == 2);
  CHECK(poll.instance == 1);
  CHECK(value_of(poll, "hits") == 2.0);
}

TEST_CASE("a command's exit code is up or down, for nagios also unknown") {
  struct Row {
    const char* script;
    ExecFormat format;
    Up up;
  };
  for (const Row row : {Row{"exit 0", ExecFormat::exit, Up::up}, Row{"exit 1", ExecFormat::exit, Up::down},
                        Row{"exit 3", ExecFormat::exit, Up::down}, Row{"kill -SEGV $$", ExecFormat::exit, Up::down},
                        Row{"exit 0", ExecFormat::nagios, Up::up}, Row{"exit 1", ExecFormat::nagios, Up::up},
                        Row{"exit 2", ExecFormat::nagios, Up::down}, Row{"exit 3", ExecFormat::nagios, Up::unknown},
                        Row{"kill -SEGV $$", ExecFormat::nagios, Up::unknown}}) {
    CAPTURE(row.script);
    const rules::Poll poll = run(shell(row.script, row.format));
    CHECK(poll.up == row.up);
    CHECK(poll.fault.has_value() == (row.up != Up::up));
  }
}

TEST_CASE("a command's output becomes readings in every format") {
  CHECK(value_of(run(shell("echo ' 12.5 '", ExecFormat::number)), "value") == 12.5);
  CHECK(value_of(run(shell("echo 'OK | time=0.25s'", ExecFormat::nagios)), "time") == 0.25);
  ExecProbe json = shell("echo '{\"a\":{\"b\":3}}'", ExecFormat::json);
  json.values = {{"b", "/a/b"}};
  CHECK(value_of(run(json), "b") == 3.0);
  ExecProbe regex = shell("echo keyspace_hits:17; echo noise >&2", ExecFormat::regex);
  regex.values = {{"hits", R"(keyspace_hits:(\d+))"}};
  CHECK(value_of(run(regex), "hits") == 17.0);
  ExecProbe page = shell("echo 'hits 4'", ExecFormat::prometheus);
  page.keep.push_back(std::get<rules::Selector>(rules::parse_selector("hits")));
  CHECK(value_of(run(page), "hits") == 4.0);
}

TEST_CASE("SPEC 2.3: a missing command blames the measuring path, a hanging one is evidence") {
  ExecProbe missing;
  missing.run = {"no-such-command-here"};
  const rules::Poll absent = run(missing);
  CHECK(absent.up == Up::unknown);
  REQUIRE(absent.fault.has_value());
  CHECK(absent.fault->kind == FaultKind::not_found);
  CHECK(has(what_of(absent), "no-such-command-here"));

  const rules::Poll hanging = run(shell("sleep 1000", ExecFormat::exit), 100ms);
  CHECK(hanging.up == Up::down);
  REQUIRE(hanging.fault.has_value());
  CHECK(hanging.fault->kind == FaultKind::timeout);
}

TEST_CASE("a tcp probe is up when a connection can be opened") {
  const ScriptedServer server([](Peer& peer) { peer.wait_closed(); });
  CHECK(Asked(config_of(TcpProbe{"127.0.0.1", server.port()})).poll().up == Up::up);
  const rules::Poll refused = Asked(config_of(TcpProbe{"localhost", tests::closed_port()})).poll();
  CHECK(refused.up == Up::down);
  CHECK(has(what_of(refused), "refused; is the application running?"));
}

TEST_CASE("SPEC 2.8: memory of a host is 1 - MemAvailable / MemTotal") {
  const Tree tree;
  tree.write_proc();
  const rules::Poll poll = Asked(config_of(tree.host())).poll();
  CHECK(what_of(poll) == "");
  CHECK(value_of(poll, "memory_used") == 0.75);
  CHECK(value_of(poll, "memory_total") == 1000 * 1024.0);
  CHECK(value_of(poll, "swap_used").value_or(0) == doctest::Approx(0.1));
  CHECK(value_of(poll, "load1") == 0.5);
  CHECK(value_of(poll, "load15") == 0.1);
  CHECK(value_of(poll, "psi_memory").value_or(0) == doctest::Approx(0.05));
  CHECK(value_of(poll, "psi_memory_full").value_or(0) == doctest::Approx(0.02));
  CHECK_FALSE(value_of(poll, "psi_io").has_value());
  CHECK(value_of(poll, "disk_used{path=\"/\"}").value_or(-1) >= 0);
}

TEST_CASE("the use of the CPUs is that between two polls") {
  const Tree tree;
  tree.write_proc();
  Asked asked(config_of(tree.host()));
  CHECK_FALSE(value_of(asked.poll(), "cpu_used").has_value());
  tree.write("proc/stat", "cpu  130 0 100 870 0 0 0 0 0 0\n");
  CHECK(value_of(asked.poll(), "cpu_used").value_or(0) == doctest::Approx(0.3));
}

TEST_CASE("SPEC 2.8: memory of a cgroup is (usage - inactive_file) / limit, in both versions, on the tightest level") {
  const Tree tree;
  tree.write_proc();
  HostProbe what = tree.host();
  SUBCASE("v2, found by itself, with the limit on its parent") {
    tree.write("proc/self/cgroup", "0::/system.slice/app.service\n");
    tree.write("cgroup/system.slice/app.service/memory.current", "600\n");
    tree.write("cgroup/system.slice/app.service/memory.stat", "anon 1\ninactive_file 200\n");
    tree.write("cgroup/system.slice/app.service/memory.max", "max\n");
    tree.write("cgroup/system.slice/memory.current", "900\n");
    tree.write("cgroup/system.slice/memory.stat", "inactive_file 100\n");
    tree.write("cgroup/system.slice/memory.max", "1000\n");
    what.cgroup = "auto";
    const rules::Poll poll = Asked(config_of(what)).poll();
    CHECK(value_of(poll, "memory_used") == 0.8);
    CHECK(value_of(poll, "memory_total") == 1000.0);
  }
  SUBCASE("v1, named") {
    tree.write("cgroup/memory/app/memory.usage_in_bytes", "900\n");
    tree.write("cgroup/memory/app/memory.stat", "total_inactive_file 100\n");
    tree.write("cgroup/memory/app/memory.limit_in_bytes", "1600\n");
    what.cgroup = "app";
    CHECK(value_of(Asked(config_of(what)).poll(), "memory_used") == 0.5);
  }
  SUBCASE("no limit: of the host's memory") {
    tree.write("cgroup/app/memory.current", "102400\n");
    tree.write("cgroup/app/memory.stat", "inactive_file 0\n");
    tree.write("cgroup/app/memory.max", "max\n");
    what.cgroup = "/app";
    CHECK(value_of(Asked(config_of(what)).poll(), "memory_used") == 0.1);
  }
  SUBCASE("one that is not there is not measurable, and what else was read stays") {
    what.cgroup = "/gone";
    const rules::Poll poll = Asked(config_of(what)).poll();
    CHECK(poll.up == Up::unknown);
    CHECK(has(what_of(poll), "/gone"));
  }
}

TEST_CASE("a disk that is not there is named, and what else was read stays") {
  HostProbe what;
  what.disks = {"/", "/no/such/mount"};
  const rules::Poll poll = Asked(config_of(what)).poll();
  CHECK(poll.up == Up::up);
  REQUIRE(poll.missing.size() == 2);
  CHECK(poll.missing[0].field == "disk_used");
  CHECK(poll.missing[0].cause == rules::Cause::source_error);
  CHECK(has(poll.missing[0].why, "/no/such/mount"));
  CHECK(value_of(poll, "memory_used").has_value());
  CHECK(value_of(poll, "disk_used{path=\"/\"}").has_value());
}

TEST_CASE("a disk that nobody asks for is not read") {
  HostProbe what;
  what.disks = {"/", "/no/such/mount"};
  what.reads_disks = false;
  const rules::Poll poll = Asked(config_of(what)).poll();
  CHECK(poll.up == Up::up);
  CHECK(poll.missing.empty());
  CHECK_FALSE(value_of(poll, "disk_used{path=\"/\"}").has_value());
}

TEST_CASE("a command that must not be run any more is not, which is no evidence against what it asks") {
  const TestFolder folder;
  const std::string mark = folder.path + "/began";
  probes::ProbeConfig config = config_of(shell("touch " + mark, ExecFormat::exit));
  config.name = rules::ProbeName("it");
  RealClock clock;
  boost::asio::io_context loop;
  probes::Resolver resolver;
  const auto refuse = [](probes::ChildSpec&) { return std::optional<std::string>("others could change it"); };
  const auto refused = probes::make_probes(config, {clock, resolver, refuse});
  const rules::Poll poll = run_on(loop, refused.front()->poll());
  CHECK(poll.up == Up::unknown);
  CHECK(poll.fault->kind == FaultKind::not_measurable);
  CHECK(has(what_of(poll), "others could change it"));
  CHECK_FALSE(std::filesystem::exists(mark));
  const auto redirect = [](probes::ChildSpec& command) {
    command.argv = {"/bin/false"};
    return std::optional<std::string>();
  };
  const auto redirected = probes::make_probes(config, {clock, resolver, redirect});
  CHECK(run_on(loop, redirected.front()->poll()).up == Up::down);
}
