#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "application.hpp"
#include "rules/engine/commands.hpp"

namespace sim {

// A command that changes something, while it runs.
struct AtWork {
  int watcher = 0;
  rules::StepId step;
  rules::ServiceName service;
  Instant until;
};

// What all watchers of a host share: the applications, the commands that run and the lock.
struct Host {
  std::map<std::string, std::unique_ptr<Application>> applications;
  std::vector<AtWork> at_work;
  int lock_holder = 0;                      // a watcher's number; 0: nobody's
  std::string lock_purpose;                 // an incident, or the deployment of a service
  Instant stranger_until = Instant::min();  // somebody else has the lock until then

  // Empty when taken, else who has it. What a killed watcher left at work keeps everybody out.
  std::string take_lock(int watcher, const std::string& purpose, Instant now) {
    if (now < stranger_until) return "another program has it";
    if (lock_holder != 0) return lock_holder == watcher && lock_purpose == purpose ? "" : lock_purpose + " has it";
    if (!at_work.empty()) return "what a killed watcher left is at work";
    lock_holder = watcher;
    lock_purpose = purpose;
    return "";
  }
  void release_lock(int watcher, const std::string& purpose) {
    if (lock_holder == watcher && lock_purpose == purpose) lock_holder = 0;
  }
};

}  // namespace sim
