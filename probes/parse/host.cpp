#include "probes/parse/host.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "probes/parse/number.hpp"

namespace probes {

namespace {

constexpr double bytes_per_kib = 1024;

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [ptr, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || ptr != end) return std::nullopt;
  return value;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// The number after `name` on the line that begins with it.
std::optional<std::uint64_t> find_count(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (take_word(line) == name) return parse_count(take_word(line));
  }
  return std::nullopt;
}

std::optional<double> find_kib(std::string_view text, std::string_view name) {
  const std::optional<std::uint64_t> kib = find_count(text, name);
  if (!kib) return std::nullopt;
  return static_cast<double>(*kib) * bytes_per_kib;
}

// avg10=0.00 as a share.
std::optional<double> take_share(std::string_view& line, std::string_view name) {
  const std::string_view word = take_word(line);
  if (!word.starts_with(name)) return std::nullopt;
  const std::optional<double> percent = parse_number(word.substr(name.size()));
  if (!percent) return std::nullopt;
  return *percent / 100;
}

bool parse_pressure_line(std::string_view line, double& avg10, double& avg60, double& avg300) {
  const std::optional<double> ten = take_share(line, "avg10=");
  const std::optional<double> sixty = take_share(line, "avg60=");
  const std::optional<double> three_hundred = take_share(line, "avg300=");
  if (!ten || !sixty || !three_hundred) return false;
  avg10 = *ten;
  avg60 = *sixty;
  avg300 = *three_hundred;
  return true;
}

bool lists_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "memory") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

}  // namespace

std::optional<MemoryInfo> parse_meminfo(std::string_view text) {
  const std::optional<double> total = find_kib(text, "MemTotal:");
  const std::optional<double> available = find_kib(text, "MemAvailable:");
  const std::optional<double> swap_total = find_kib(text, "SwapTotal:");
  const std::optional<double> swap_free = find_kib(text, "SwapFree:");
  if (!total || !available || *total <= 0) return std::nullopt;
  MemoryInfo memory;
  memory.total = *total;
  memory.available = *available;
  memory.swap_total = swap_total.value_or(0);  // a kernel without swap support writes neither line
  memory.swap_free = swap_free.value_or(0);
  return memory;
}

double memory_used(const MemoryInfo& memory) { return 1 - memory.available / memory.total; }

double swap_used(const MemoryInfo& memory) {
  if (memory.swap_total <= 0) return 0;
  return 1 - memory.swap_free / memory.swap_total;
}

std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat) {
  std::string_view line = take_line(proc_stat);
  if (take_word(line) != "cpu") return std::nullopt;
  enum Field : std::size_t { user, nice, system, idle, iowait, irq, softirq, steal, fields };
  std::array<std::uint64_t, fields> ticks{};
  std::size_t read = 0;
  for (; read < fields; ++read) {
    const std::string_view word = take_word(line);
    if (word.empty()) break;
    const std::optional<std::uint64_t> value = parse_count(word);
    if (!value) return std::nullopt;
    ticks[read] = *value;
  }
  if (read <= idle) return std::nullopt;
  CpuTimes times;
  times.busy = ticks[user] + ticks[nice] + ticks[system] + ticks[irq] + ticks[softirq] + ticks[steal];
  times.total = times.busy + ticks[idle] + ticks[iowait];
  return times;
}

std::optional<double> cpu_used(const CpuTimes& before, const CpuTimes& after) {
  if (after.total <= before.total || after.busy < before.busy) return std::nullopt;
  const double total = static_cast<double>(after.total - before.total);
  // iowait may go back a little, which lets busy grow by more than the total.
  return std::min(1.0, static_cast<double>(after.busy - before.busy) / total);
}

std::optional<LoadAverage> parse_loadavg(std::string_view text) {
  std::string_view line = take_line(text);
  const std::optional<double> load1 = parse_number(take_word(line));
  const std::optional<double> load5 = parse_number(take_word(line));
  const std::optional<double> load15 = parse_number(take_word(line));
  if (!load1 || !load5 || !load15) return std::nullopt;
  LoadAverage load;
  load.load1 = *load1;
  load.load5 = *load5;
  load.load15 = *load15;
  return load;
}

std::optional<Pressure> parse_pressure(std::string_view text) {
  Pressure pressure;
  bool some = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view kind = take_word(line);
    if (kind == "some") {
      if (!parse_pressure_line(line, pressure.some_avg10, pressure.some_avg60, pressure.some_avg300)) return {};
      some = true;
    } else if (kind == "full") {
      if (!parse_pressure_line(line, pressure.full_avg10, pressure.full_avg60, pressure.full_avg300)) return {};
    }
  }
  if (!some) return std::nullopt;
  return pressure;
}

std::optional<CgroupPlace> parse_cgroup_place(std::string_view proc_cgroup) {
  std::optional<CgroupPlace> unified;
  while (!proc_cgroup.empty()) {
    std::string_view line = take_line(proc_cgroup);  // ID:CONTROLLERS:PATH
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos || second + 1 >= line.size() || line[second + 1] != '/') continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (lists_memory(controllers)) return CgroupPlace{CgroupVersion::v1, path};
    if (controllers.empty() && line.substr(0, first) == "0") unified = CgroupPlace{CgroupVersion::v2, path};
  }
  return unified;
}

std::vector<std::string> with_ancestors(const std::string& path) {
  std::vector<std::string> paths;
  std::string at = path;
  while (at.size() > 1) {
    paths.push_back(at);
    at.resize(std::min(at.rfind('/'), at.size() - 1));
  }
  paths.emplace_back("/");
  return paths;
}

CgroupFiles cgroup_files(CgroupVersion version) {
  switch (version) {
    case CgroupVersion::v1:
      return {"memory.usage_in_bytes", "memory.limit_in_bytes", "memory.stat"};
    case CgroupVersion::v2:
      return {"memory.current", "memory.max", "memory.stat"};
  }
  return {};
}

std::optional<CgroupLimit> parse_cgroup_limit(std::string_view text) {
  // v1 writes "no limit" as the largest number of whole pages (about 9.2e18); no machine has an exbibyte.
  constexpr double unlimited_from = 1024.0 * 1024 * 1024 * 1024 * 1024 * 1024;
  const std::string_view word = trimmed(text);
  if (word == "max") return CgroupLimit{};
  const std::optional<std::uint64_t> bytes = parse_count(word);
  if (!bytes) return std::nullopt;
  const double limit = static_cast<double>(*bytes);
  if (limit >= unlimited_from) return CgroupLimit{};
  return CgroupLimit{limit};
}

std::optional<double> cgroup_working_set(CgroupVersion version, std::string_view usage, std::string_view stat) {
  // v1's memory.usage_in_bytes counts the children, so the hierarchical figure is the one to take off.
  const std::string_view name = version == CgroupVersion::v1 ? "total_inactive_file" : "inactive_file";
  const std::optional<std::uint64_t> used = parse_count(trimmed(usage));
  const std::optional<std::uint64_t> inactive = find_count(stat, name);
  if (!used || !inactive) return std::nullopt;
  return static_cast<double>(*used - std::min(*used, *inactive));
}

}  // namespace probes
