#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probes/net/resolver.hpp"
#include "probes/probe.hpp"
#include "real_clock.hpp"
#include "run_here.hpp"

namespace tests {

// One probe, asked as often as a test wants.
struct Asked {
  explicit Asked(probes::ProbeConfig config, std::size_t instance = 0)
      : list(probes::make_probes(named(std::move(config)), {clock, resolver})), probe(*list.at(instance)) {}

  rules::Poll poll() { return run_on(loop, probe.poll()); }

  static probes::ProbeConfig named(probes::ProbeConfig config) {
    config.name = rules::ProbeName("it");
    return config;
  }

  RealClock clock;
  boost::asio::io_context loop;
  probes::Resolver resolver;
  std::vector<std::unique_ptr<probes::Probe>> list;
  probes::Probe& probe;
};

template <class What>
probes::ProbeConfig config_of(What what, rules::Duration timeout = std::chrono::seconds(10)) {
  probes::ProbeConfig config;
  config.timeout = timeout;
  config.what = std::move(what);
  return config;
}

// The value of a reading, written as in a condition: disk_used{path="/"}.
inline std::optional<double> value_of(const rules::Poll& poll, const std::string& series) {
  for (const rules::Reading& reading : poll.readings) {
    if (rules::to_string(*reading.series) == series) return reading.value;
  }
  return std::nullopt;
}

inline std::string what_of(const rules::Poll& poll) { return poll.fault ? poll.fault->what : ""; }

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace tests
