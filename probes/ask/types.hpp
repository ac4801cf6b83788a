#pragma once

#include <memory>
#include <vector>

#include "probes/probe.hpp"

namespace probes {

using ProbeList = std::vector<std::unique_ptr<Probe>>;

// One function a probe type, each in the file of its type; make_probes() is the table.
ProbeList make_http(const ProbeConfig& config, const HttpProbe& what, Surroundings around);
ProbeList make_prometheus(const ProbeConfig& config, const PrometheusProbe& what, Surroundings around);
ProbeList make_host(const ProbeConfig& config, const HostProbe& what, Surroundings around);
ProbeList make_exec(const ProbeConfig& config, const ExecProbe& what, Surroundings around);
ProbeList make_tcp(const ProbeConfig& config, const TcpProbe& what, Surroundings around);

}  // namespace probes
