#include <variant>

#include "probes/ask/types.hpp"

namespace probes {

namespace {

struct Maker {
  const ProbeConfig& config;
  Surroundings around;

  ProbeList operator()(const HttpProbe& what) const { return make_http(config, what, around); }
  ProbeList operator()(const PrometheusProbe& what) const { return make_prometheus(config, what, around); }
  ProbeList operator()(const HostProbe& what) const { return make_host(config, what, around); }
  ProbeList operator()(const ExecProbe& what) const { return make_exec(config, what, around); }
  ProbeList operator()(const TcpProbe& what) const { return make_tcp(config, what, around); }
};

}  // namespace

ProbeList make_probes(const ProbeConfig& config, Surroundings around) {
  return std::visit(Maker{config, around}, config.what);
}

}  // namespace probes
