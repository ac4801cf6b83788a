#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "ask_fixture.hpp"
#include "probes/ask/app_memory.hpp"
#include "probes/parse/listeners.hpp"
#include "test_folder.hpp"

using probes::HostProbe;
using rules::Up;
using namespace tests;

namespace {

constexpr int port = 3001;

// A host of 1000 kB, of which three quarters are in use, with processes, their sockets and their control groups.
struct Tree {
  TestFolder folder;
  std::filesystem::path root = folder.path;

  Tree() {
    write("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
    write("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n");
    write("proc/loadavg", "0.50 0.25 0.10 1/100 1234\n");
  }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  void link(const std::string& path, const std::string& target) const {
    std::filesystem::create_directories((root / path).parent_path());
    std::filesystem::remove(root / path);
    std::filesystem::create_symlink(target, root / path);
  }
  // As the kernel writes it: 3001 is 0BB9 and 80 is 0050.
  static std::string listens(const std::string& port_in_hex, int inode) {
    return "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
           "   0: 0100007F:0BB9 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 99 1 0\n"
           "   1: 0100007F:" +
           port_in_hex + " 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 " +
           std::to_string(inode) + " 1 0000000000000000 100 0 0 10 0\n";
  }
  void process(int pid, const std::string& name, int inode, const std::string& group) const {
    const std::string at = "proc/" + std::to_string(pid);
    write(at + "/comm", name + "\n");
    write(at + "/cmdline", name + std::string(1, '\0'));
    write(at + "/cgroup", "0::" + group + "\n");
    link(at + "/fd/3", "/dev/null");
    link(at + "/fd/4", "socket:[" + std::to_string(inode) + "]");
    link(at + "/ns/net", "net:[1]");
  }
  void group(const std::string& path, int used, const std::string& limit) const {
    write("cgroup" + path + "/memory.current", std::to_string(used) + "\n");
    write("cgroup" + path + "/memory.stat", "inactive_file 100\n");
    write("cgroup" + path + "/memory.max", limit + "\n");
  }
  HostProbe host() const {
    HostProbe what;
    what.proc = root / "proc";
    what.cgroup_root = root / "cgroup";
    what.disks.clear();
    what.port = port;
    return what;
  }
  std::string said() const {
    probes::AppMemory memory(host());
    memory.found(probes::find_listener(host().proc, port));
    memory.look_at_group();
    return memory.said();
  }
};

}  // namespace

TEST_CASE("memory is that of the unit in which the application runs that listens on the port, where it has a limit") {
  const Tree tree;
  tree.write("proc/net/tcp", Tree::listens("0BB9", 77));
  tree.process(12, "other", 78, "/system.slice/other.service");
  tree.process(345, "shop", 77, "/system.slice/shop.service");
  tree.group("/system.slice/shop.service", 500, "800");
  const rules::Poll poll = Asked(config_of(tree.host())).poll();
  CHECK(value_of(poll, "memory_used") == 0.5);
  CHECK(value_of(poll, "memory_total") == 800.0);
  CHECK(value_of(poll, "load1") == 0.5);
  CHECK(
      tree.said().starts_with("memory is that of control group /system.slice/shop.service, of at most 0 MiB: shop "
                              "(process 345) listens on port 3001"));
}

TEST_CASE("memory is the host's where nothing limits the application, or nobody knows which process it is") {
  const Tree tree;
  const auto used = [&tree] { return value_of(Asked(config_of(tree.host())).poll(), "memory_used"); };
  tree.write("proc/net/tcp6", Tree::listens("0BB9", 77));
  CHECK(used() == 0.75);
  CHECK(tree.said().find("cannot be seen; run as root") != std::string::npos);
  tree.process(345, "shop", 77, "/user.slice");
  tree.group("/user.slice", 500, "max");
  CHECK(used() == 0.75);
  CHECK(tree.said().find("shop (process 345) listens on port 3001, and no control group limits it") !=
        std::string::npos);
  tree.process(345, "shop", 77, "/../../beyond");
  CHECK(used() == 0.75);
}

TEST_CASE("where nobody listens on the port that is named, memory is unknown and not the host's") {
  const Tree tree;
  const rules::Poll poll = Asked(config_of(tree.host())).poll();
  CHECK(poll.up == Up::up);
  CHECK_FALSE(value_of(poll, "memory_used").has_value());
  CHECK(value_of(poll, "swap_used").has_value());
  REQUIRE(poll.missing.size() == 3);
  CHECK(poll.missing[0].field == "memory_used");
  CHECK(poll.missing[0].cause == rules::Cause::no_data);
  CHECK(poll.missing[0].why == "no process listens on port 3001");
  CHECK(tree.said() == "memory cannot be measured: no process listens on port 3001");
}

TEST_CASE("of a port that was only taken from an address, the host's memory stands in until somebody listened there") {
  const Tree tree;
  HostProbe what = tree.host();
  what.or_host = true;
  Asked asked(config_of(what));
  CHECK(value_of(asked.poll(), "memory_used") == 0.75);
  tree.write("proc/net/tcp", Tree::listens("0BB9", 77));
  tree.process(345, "shop", 77, "/user.slice");
  tree.group("/user.slice", 500, "max");
  CHECK(value_of(asked.poll(), "memory_used") == 0.75);
  std::filesystem::remove_all(tree.root / "proc/345");
  tree.write("proc/net/tcp", "");
  const rules::Poll gone = asked.poll();
  CHECK_FALSE(value_of(gone, "memory_used").has_value());
  CHECK(gone.missing.size() == 3);
}

TEST_CASE("an application that restarts elsewhere is followed, and while it is gone its memory is not measured") {
  const Tree tree;
  tree.write("proc/net/tcp", Tree::listens("0BB9", 77));
  tree.process(345, "shop", 77, "/a");
  tree.group("/a", 500, "800");
  Asked asked(config_of(tree.host()));
  CHECK(value_of(asked.poll(), "memory_used") == 0.5);
  std::filesystem::remove_all(tree.root / "proc/345");
  std::filesystem::remove_all(tree.root / "cgroup/a");
  tree.write("proc/net/tcp", "");
  const rules::Poll gone = asked.poll();
  CHECK(gone.up == Up::up);
  CHECK_FALSE(value_of(gone, "memory_used").has_value());
  CHECK(value_of(gone, "load1") == 0.5);
  tree.write("proc/net/tcp", Tree::listens("0BB9", 88));
  tree.process(346, "shop", 88, "/b");
  tree.group("/b", 700, "800");
  CHECK(value_of(asked.poll(), "memory_used") == 0.75);
  CHECK(value_of(asked.poll(), "memory_total") == 800.0);
}

TEST_CASE("the proxy of a published port leads to the container") {
  const Tree tree;
  tree.write("proc/net/tcp", Tree::listens("0BB9", 77));
  tree.process(20, "docker-proxy", 77, "/system.slice/docker.service");
  std::string command = "/usr/bin/docker-proxy -proto tcp -host-port 3001 -container-ip 172.17.0.2 -container-port 80 ";
  std::replace(command.begin(), command.end(), ' ', '\0');
  tree.write("proc/20/cmdline", command);
  tree.write("proc/20/net/fib_trie",
             "  |-- 172.17.0.1\n     /32 host LOCAL\n  |-- 172.17.0.2\n     /32 link UNICAST\n");
  CHECK(tree.said().find("cannot be seen behind docker-proxy") != std::string::npos);
  tree.process(30, "nginx", 55, "/docker/0123");
  tree.link("proc/30/ns/net", "net:[2]");
  tree.write("proc/30/net/fib_trie", "  |-- 172.17.0.2\n     /32 host LOCAL\n");
  tree.write("proc/30/net/tcp", Tree::listens("0050", 55));
  tree.group("/docker/0123", 500, "800");
  CHECK(value_of(Asked(config_of(tree.host())).poll(), "memory_used") == 0.5);
  CHECK(tree.said().find("control group /docker/0123") != std::string::npos);
}

TEST_CASE("tables of connections that are cut off or something else name nobody") {
  CHECK(probes::listening_inodes("", 80).empty());
  CHECK(probes::listening_inodes("0: 0100007F:0050", 80).empty());
  CHECK(probes::listening_inodes("0: 0100007F:0050 0:0 0A 0 0 0 0 0 x", 80).empty());
  CHECK(probes::listening_inodes(Tree::listens("0050", 5), 80) == std::set<std::uint64_t>{5});
  CHECK(probes::listening_inodes(Tree::listens("0050", 5), 3001).empty());
  CHECK_FALSE(probes::docker_proxy_target(std::string("docker-proxy\0-container-ip", 26)));
  CHECK_FALSE(probes::docker_proxy_target(""));
}
