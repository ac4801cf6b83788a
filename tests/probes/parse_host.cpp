#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "probes/parse/host.hpp"

using probes::CgroupVersion;

TEST_CASE("SPEC 2.8: the host's memory in use is 1 - MemAvailable / MemTotal, not what caches hold") {
  const auto memory = probes::parse_meminfo(
      "MemTotal:        8000 kB\nMemFree:          100 kB\nMemAvailable:    6000 kB\nCached:          5000 "
      "kB\n"
      "SwapTotal:       1000 kB\nSwapFree:         750 kB\n");
  REQUIRE(memory);
  CHECK(memory->total == 8000 * 1024);
  CHECK(probes::memory_used(*memory) == doctest::Approx(0.25));
  CHECK(probes::swap_used(*memory) == doctest::Approx(0.25));
}

TEST_CASE("a host without swap uses none of it, and a file that is not meminfo is not measured") {
  const auto memory = probes::parse_meminfo("MemTotal: 8 kB\nMemAvailable: 2 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
  REQUIRE(memory);
  CHECK(probes::swap_used(*memory) == 0);
  for (const char* const text :
       {"", "MemTotal: 8 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n", "MemTotal: x kB\nMemAvailable: 1 kB\n"}) {
    CHECK_FALSE(probes::parse_meminfo(text));
  }
}

TEST_CASE("CPU in use is the share of ticks between two looks that were not idle and not waiting for I/O") {
  const auto before = probes::parse_cpu_times("cpu  100 0 50 800 50 0 0 0 30 0\ncpu0 1 2 3 4\n");
  const auto after = probes::parse_cpu_times("cpu  150 10 70 870 90 5 5 0 60 0\n");
  REQUIRE(before);
  REQUIRE(after);
  CHECK(before->total == 1000);
  CHECK(*probes::cpu_used(*before, *after) == doctest::Approx(90.0 / 200));
  CHECK_FALSE(probes::cpu_used(*before, *before));
  CHECK_FALSE(probes::cpu_used(*after, *before));
  CHECK(probes::parse_cpu_times("cpu 1 2 3 4\n")->total == 10);
  for (const char* const text : {"", "cpu 1 2 3\n", "cpu0 1 2 3 4\n", "cpu 1 2 x 4\n"})
    CHECK_FALSE(probes::parse_cpu_times(text));
}

TEST_CASE("load averages are read") {
  const auto load = probes::parse_loadavg("0.75 0.50 1.29 2/345 12345\n");
  REQUIRE(load);
  CHECK(load->load1 == 0.75);
  CHECK(load->load5 == 0.5);
  CHECK(load->load15 == 1.29);
  CHECK_FALSE(probes::parse_loadavg("0.75 0.50"));
}

TEST_CASE("pressure is read as shares of time") {
  const auto pressure = probes::parse_pressure(
      "some avg10=12.50 avg60=3.00 avg300=0.10 total=123\nfull avg10=1.00 avg60=0.50 avg300=0.00 total=9\n");
  REQUIRE(pressure);
  CHECK(pressure->some_avg10 == doctest::Approx(0.125));
  CHECK(pressure->some_avg60 == doctest::Approx(0.03));
  CHECK(pressure->some_avg300 == doctest::Approx(0.001));
  CHECK(pressure->full_avg10 == doctest::Approx(0.01));
  CHECK(pressure->full_avg60 == doctest::Approx(0.005));
  CHECK(probes::parse_pressure("some avg10=1.00 avg60=0.00 avg300=0.00 total=0\n")->full_avg10 == 0);
  CHECK_FALSE(probes::parse_pressure(""));
  CHECK_FALSE(probes::parse_pressure("some avg60=1.00 avg10=0.00 avg300=0.00 total=0\n"));
}

TEST_CASE("a process's memory cgroup is found on v1, v2 and hybrid machines") {
  const auto v2 = probes::parse_cgroup_place("0::/system.slice/app.service\n");
  REQUIRE(v2);
  CHECK(v2->version == CgroupVersion::v2);
  CHECK(v2->path == "/system.slice/app.service");
  const auto hybrid = probes::parse_cgroup_place("12:cpu,cpuacct:/a\n9:memory:/docker/ab:cd\n0::/x\n");
  REQUIRE(hybrid);
  CHECK(hybrid->version == CgroupVersion::v1);
  CHECK(hybrid->path == "/docker/ab:cd");
  CHECK(probes::parse_cgroup_place("5:hugetlb,memory:/\n")->path == "/");
  CHECK_FALSE(probes::parse_cgroup_place("1:name=systemd:/x\n"));
  CHECK_FALSE(probes::parse_cgroup_place("garbage\n"));
}

TEST_CASE("a cgroup's limit may stand on any of its ancestors") {
  CHECK(probes::with_ancestors("/a/b.slice/c") == std::vector<std::string>{"/a/b.slice/c", "/a/b.slice", "/a", "/"});
  CHECK(probes::with_ancestors("/") == std::vector<std::string>{"/"});
}

TEST_CASE("SPEC 2.8: a cgroup's working set is usage - inactive_file, on v1 with the children's") {
  CHECK(probes::cgroup_working_set(CgroupVersion::v2, "1000\n", "anon 5\ninactive_file 300\nactive_file 9\n") == 700);
  CHECK(probes::cgroup_working_set(CgroupVersion::v1, "1000\n", "inactive_file 1\ntotal_inactive_file 400\n") == 600);
  CHECK(probes::cgroup_working_set(CgroupVersion::v2, "100\n", "inactive_file 300\n") == 0);
  CHECK_FALSE(probes::cgroup_working_set(CgroupVersion::v2, "", "inactive_file 300\n"));
  CHECK_FALSE(probes::cgroup_working_set(CgroupVersion::v2, "100\n", "anon 5\n"));
}

TEST_CASE("SPEC 2.8: max and limits that no machine reaches mean that there is no limit") {
  CHECK(probes::parse_cgroup_limit("536870912\n")->bytes == 536870912);
  CHECK_FALSE(probes::parse_cgroup_limit("max\n")->bytes);
  CHECK_FALSE(probes::parse_cgroup_limit("9223372036854771712\n")->bytes);
  CHECK_FALSE(probes::parse_cgroup_limit("18446744073709551615\n")->bytes);
  CHECK_FALSE(probes::parse_cgroup_limit(""));
  CHECK_FALSE(probes::parse_cgroup_limit("-1\n"));
}

TEST_CASE("each cgroup version has its own files") {
  CHECK(probes::cgroup_files(CgroupVersion::v1).limit == "memory.limit_in_bytes");
  CHECK(probes::cgroup_files(CgroupVersion::v2).usage == "memory.current");
}
