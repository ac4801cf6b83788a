#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/incidents/plan.hpp"

namespace watcher {

// What variables of an environment have programs run, load or look for, by their usual names (PATH, BASH_ENV,
// LD_PRELOAD, PYTHONPATH, NODE_OPTIONS, COMPOSE_FILE, GIT_SSH_COMMAND, GIT_CONFIG_KEY_0, ...).
struct EnvironmentSays {
  std::vector<std::string> paths;    // files and folders, whether they are there or not; what is relative is so
  std::vector<std::string> scripts;  // run by a shell
  std::vector<std::string> maybe;    // files where they are there
  std::optional<std::string> path;   // PATH
};

// Of `NAME=VALUE`; what is none is passed over.
EnvironmentSays environment_says(std::span<const std::string> assignments);

// NAME=VALUE of each.
std::vector<std::string> assignments_of(const std::map<std::string, rules::Text>& variables);

}  // namespace watcher
