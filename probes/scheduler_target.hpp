#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "probes/net/task_group.hpp"
#include "probes/net/turn.hpp"
#include "probes/places.hpp"
#include "probes/scheduler.hpp"

namespace probes {

// What the scheduler keeps of each coroutine that polls, and of each target.

struct Scheduler::Worker {
  explicit Worker(const asio::any_io_executor& executor) : group(executor) {}

  TaskGroup group;           // work(), and nothing else
  Turn turn;                 // it waits here between polls
  Target* target = nullptr;  // that it polls

  bool has_ended() const { return group.size() == 0; }
  // Also in the middle of a poll.
  void end() {
    group.cancel();
    turn.give();
  }
};

struct Scheduler::Target {
  Target(Configs configs_, const ProbeConfig& config_, std::size_t instance_, std::unique_ptr<Probe> probe_)
      : configs(std::move(configs_)),
        config(&config_),
        instance(instance_),
        hash(place_hash(config->name.text, instance)),
        probe(std::move(probe_)) {}

  Configs configs;
  const ProbeConfig* config;  // among these
  std::size_t instance;
  std::uint64_t hash;
  std::unique_ptr<Probe> probe;  // none after memory ran out, until there is some again
  Worker* worker = nullptr;      // a poll is in flight
  rules::Instant grid;           // polls stand at this time plus whole intervals, except the first
  bool planned = false;          // it has its place
  bool retired = false;

  // The next place on the grid, not sooner than half an interval from now. Polls missed in a stall of ours are not made
  // up for.
  rules::Instant next_after(rules::Instant now) const {
    const rules::Duration interval = config->interval;
    const rules::Instant soonest = now + interval / 2;
    if (grid >= soonest) return grid;
    return grid + (soonest - grid + interval - rules::Duration(1)) / interval * interval;
  }
};

}  // namespace probes
