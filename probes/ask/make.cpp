#include <array>
#include <variant>

#include "probes/key.hpp"
#include "probes/probe.hpp"

namespace probes {

namespace {

// In the order in which they are told. A type has one line here, and is an alternative of ProbeConfig::what.
std::array<Variety, 9> all_types() {
  return {HttpProbe::variety(),    PrometheusProbe::variety(), HostProbe::variety(),
          ExecProbe::variety(),    TcpProbe::variety(),        later_variety("log"),
          later_variety("promql"), later_variety("container"), later_variety("unit")};
}

}  // namespace

std::span<const Variety> probe_types() {
  static const std::array<Variety, 9> types = all_types();
  return types;
}

ProbeList make_probes(const ProbeConfig& config, Surroundings around) {
  return std::visit([&](const auto& what) { return what.make(config, around); }, config.what);
}

}  // namespace probes
