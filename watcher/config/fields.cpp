#include "watcher/config/fields.hpp"

#include <algorithm>

namespace watcher {

namespace {

std::vector<std::string> own_fields(const probes::HttpProbe& probe) {
  std::vector<std::string> out;
  for (const auto& [name, pointer] : probe.json) out.push_back(name);
  for (const auto& [name, pointers] : probe.check) out.push_back(name);
  return out;
}

std::vector<std::string> own_fields(const probes::PrometheusProbe&) { return {}; }

std::vector<std::string> own_fields(const probes::HostProbe&) {
  return {"memory_used", "memory_total", "memory_available", "swap_used",       "cpu_used",
          "load1",       "load5",        "load15",           "disk_used",       "disk_available",
          "psi_cpu",     "psi_memory",   "psi_io",           "psi_memory_full", "psi_io_full"};
}

std::vector<std::string> own_fields(const probes::ExecProbe& probe) {
  std::vector<std::string> out;
  if (probe.format == probes::ExecFormat::number) out.emplace_back("value");
  if (probe.format == probes::ExecFormat::exit) out.emplace_back("exit_code");
  for (const auto& [name, source] : probe.values) out.push_back(name);
  return out;
}

std::vector<std::string> own_fields(const probes::TcpProbe&) { return {}; }

bool has_any_field(const probes::ProbeConfig& probe) {
  if (std::holds_alternative<probes::PrometheusProbe>(probe.what)) return true;
  const auto* const exec = std::get_if<probes::ExecProbe>(&probe.what);
  return exec != nullptr &&
         (exec->format == probes::ExecFormat::nagios || exec->format == probes::ExecFormat::prometheus);
}

}  // namespace

std::vector<std::string> fields_of(const probes::ProbeConfig& probe) {
  std::vector<std::string> out = std::visit([](const auto& what) { return own_fields(what); }, probe.what);
  out.emplace_back("up");
  out.emplace_back("duration");
  return out;
}

bool has_field(const probes::ProbeConfig& probe, std::string_view field) {
  if (has_any_field(probe)) return true;
  const std::vector<std::string> known = fields_of(probe);
  return std::find(known.begin(), known.end(), field) != known.end();
}

}  // namespace watcher
