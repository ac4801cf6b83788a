#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "probes/ask/app_memory.hpp"
#include "probes/ask/frame.hpp"
#include "probes/ask/host_files.hpp"
#include "probes/key_rows.hpp"
#include "probes/net/blocking.hpp"
#include "probes/net/descriptors.hpp"
#include "probes/parse/host.hpp"
#include "probes/parse/names.hpp"
#include "probes/probe.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;

// memory_used memory_total memory_available swap_used cpu_used load1 load5 load15 disk_used{path} disk_available{path}
// psi_cpu psi_memory psi_io and psi_memory_full psi_io_full (shares of the last 10 s; absent where the kernel has no
// PSI).
class Host final : public Probe {
 public:
  Host(const ProbeConfig& config, const HostProbe& what, Surroundings around)
      : frame_(config, 0, around.clock), what_(what), app_(what), timeout_(config.timeout) {}

  asio::awaitable<rules::Poll> poll() override {
    const rules::Instant started = frame_.now();
    readings_.clear();
    missing_.clear();
    if (what_.port != 0) co_await look_who_listens();
    std::optional<Fault> fault = read_memory();
    if (!fault) fault = read_cpu();
    if (!fault) fault = read_load();
    if (!fault) read_pressures();
    if (!fault && what_.reads_disks) co_await read_disk_use(started);
    rules::Poll poll = frame_.finish(started, std::move(readings_), std::move(fault));
    if (!poll.fault) poll.missing = missing_;
    co_return poll;
  }

 private:
  asio::awaitable<void> look_who_listens() {
    if (!app_.must_look()) co_return;
    const auto listener = std::make_shared<Listener>();
    std::function<void()> work = [listener, proc = what_.proc, port = static_cast<std::uint16_t>(what_.port)] {
      *listener = find_listener(proc, port);
    };
    const bool done = co_await blocking_.run(std::move(work), timeout_);
    if (done) app_.found(std::move(*listener));
  }

  void add(const char* name, double value) {
    rules::SharedSeriesKey& key = keys_[name];
    if (!key) key = field_key(name);
    readings_.push_back({key, value});
  }

  void add_of_disk(const char* name, const std::string& path, double value) {
    rules::SharedSeriesKey& key = keys_[name + (" " + path)];
    if (!key) key = std::make_shared<const rules::SeriesKey>(rules::SeriesKey{name, {{"path", path}}});
    readings_.push_back({key, value});
  }

  Fault unreadable(const std::string& path) const {
    if (out_of_descriptors())
      return {FaultKind::no_descriptors, "read " + path + ": no descriptors; raise LimitNOFILE"};
    return {FaultKind::not_measurable,
            "read " + path + ": it is missing or not as the kernel writes it; is it mounted?"};
  }

  std::optional<Fault> read_memory() {
    const std::string path = what_.proc + "/meminfo";
    const auto text = read_small_file(path);
    const auto memory = text ? parse_meminfo(*text) : std::nullopt;
    if (!memory) return unreadable(path);
    add("swap_used", swap_used(*memory));
    const AppMemory::Whose whose = what_.port == 0 ? AppMemory::Whose::host : app_.look_at_group();
    if (whose == AppMemory::Whose::unknown) {
      for (const char* const field : {"memory_used", "memory_total", "memory_available"})
        missing_.push_back({field, rules::Cause::no_data, app_.why_unknown()});
      return std::nullopt;
    }
    if (whose == AppMemory::Whose::group) {
      add_group(app_.memory(), memory->total);
      return std::nullopt;
    }
    if (what_.cgroup.empty()) {
      add("memory_used", memory_used(*memory));
      add("memory_total", memory->total);
      add("memory_available", memory->available);
      return std::nullopt;
    }
    const auto group = read_cgroup_memory(what_);
    if (!group) return unreadable("the memory of cgroup " + what_.cgroup + " below " + what_.cgroup_root);
    add_group(*group, memory->total);
    return std::nullopt;
  }

  void add_group(const CgroupMemory& group, double of_host) {
    const bool limited = group.limit > 0;
    const double total = limited ? group.limit : of_host;
    add("memory_used", limited ? group.used : group.working_set / total);
    add("memory_total", total);
    add("memory_available", std::max(total - group.working_set, 0.0));
  }

  std::optional<Fault> read_cpu() {
    const std::string path = what_.proc + "/stat";
    const auto text = read_small_file(path);
    const auto times = text ? parse_cpu_times(*text) : std::nullopt;
    if (!times) return unreadable(path);
    const auto used = cpu_before_ ? cpu_used(*cpu_before_, *times) : std::nullopt;
    if (used) add("cpu_used", *used);
    cpu_before_ = times;
    return std::nullopt;
  }

  std::optional<Fault> read_load() {
    const std::string path = what_.proc + "/loadavg";
    const auto text = read_small_file(path);
    const auto load = text ? parse_loadavg(*text) : std::nullopt;
    if (!load) return unreadable(path);
    add("load1", load->load1);
    add("load5", load->load5);
    add("load15", load->load15);
    return std::nullopt;
  }

  void read_pressures() {
    read_pressure("cpu", "psi_cpu", nullptr);
    read_pressure("memory", "psi_memory", "psi_memory_full");
    read_pressure("io", "psi_io", "psi_io_full");
  }

  void read_pressure(const char* of, const char* some, const char* full) {
    const auto text = read_small_file(what_.proc + "/pressure/" + of);
    const auto pressure = text ? parse_pressure(*text) : std::nullopt;
    if (!pressure) return;
    add(some, pressure->some_avg10);
    if (full != nullptr) add(full, pressure->full_avg10);
  }

  // Each on a thread of its own: one that hangs leaves the others what they are.
  asio::awaitable<void> read_disk_use(rules::Instant started) {
    for (const std::string& path : what_.disks) {
      const auto disks = std::make_shared<std::vector<DiskUse>>();
      std::function<void()> work = [disks, path] { *disks = read_disks({path}); };
      const rules::Duration left = std::max(timeout_ - (frame_.now() - started), rules::Duration::zero());
      Blocking& asking = asking_[path];
      const bool done = co_await asking.run(std::move(work), left);
      if (done && disks->front().readable) {
        add_of_disk("disk_used", path, disks->front().used);
        add_of_disk("disk_available", path, disks->front().available);
        continue;
      }
      miss_disk(done ? unreadable("disk use of " + path).what
                     : "read disk use of " + path + ": the file system did not answer; does a mount hang?");
    }
  }

  void miss_disk(const std::string& why) {
    missing_.push_back({"disk_used", rules::Cause::source_error, why});
    missing_.push_back({"disk_available", rules::Cause::source_error, why});
  }

  PollFrame frame_;
  HostProbe what_;
  AppMemory app_;
  rules::Duration timeout_;
  Blocking blocking_;
  std::map<std::string, Blocking> asking_;  // a disk each
  std::map<std::string, rules::SharedSeriesKey> keys_;
  std::vector<rules::Reading> readings_;
  std::vector<rules::Missing> missing_;
  std::optional<CpuTimes> cpu_before_;
};

constexpr std::array keys{
    key<Kind::strings, &HostProbe::disks>("disks", "The mount points whose space is measured.")
        .checked(wrong_mount)
        .also_empty(),
    key<Kind::path, &HostProbe::proc>("proc", "Where the host's /proc is mounted."),
    key<Kind::string, &HostProbe::cgroup>(
        "cgroup", "The control group whose memory is measured: \"auto\" is our own, a path is below the controller.")
        .when_left_out("the whole host"),
    key<Kind::integer, &HostProbe::port>(
        "app_port", "Where the application listens here: its memory is measured where a container or unit limits it.")
        .between(0, 65535)
        .when_left_out("the whole host"),
    key<Kind::flag, &HostProbe::or_host>(
        "or_host", "Whether the host's memory is measured where no process ever listened on app_port."),
    key<Kind::path, &HostProbe::cgroup_root>("cgroup_root", "Where the host's control groups are mounted."),
};

}  // namespace

ProbeList HostProbe::make(const ProbeConfig& config, Surroundings around) const {
  ProbeList probes;
  probes.push_back(std::make_unique<Host>(config, *this, around));
  return probes;
}

Variety HostProbe::variety() {
  return probes::variety<ProbeKind, HostProbe>(
      "host", "The host's, or a control group's, memory, processors, load, disks and pressure.", keys);
}
std::vector<std::string> HostProbe::fields() const {
  return {"memory_used", "memory_total", "memory_available", "swap_used",       "cpu_used",
          "load1",       "load5",        "load15",           "disk_used",       "disk_available",
          "psi_cpu",     "psi_memory",   "psi_io",           "psi_memory_full", "psi_io_full"};
}

}  // namespace probes
