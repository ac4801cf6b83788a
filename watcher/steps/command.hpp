#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/net/child.hpp"
#include "rules/base/names.hpp"
#include "rules/base/time.hpp"
#include "rules/engine/commands.hpp"
#include "rules/engine/events.hpp"

namespace watcher {

// ROLLBACKD_SERVICE, _INCIDENT, ... for a step's command.
std::map<std::string, std::string> step_environment(const rules::Perform& command, const std::string& evidence_dir);

// {to} and {from}; nullopt when an argument names a revision that must not be put into an argv.
std::optional<std::vector<std::string>> expand_argv(const std::vector<std::string>& argv, const rules::Revision& from,
                                                    const rules::Revision& to);

// The same argv without what a shell would need, for people: scripts/backup.sh --full.
std::string shown(const std::vector<std::string>& argv);

// What became of a command. `attempt` says what was done ("run scripts/backup.sh"), `limit` is what it was given.
rules::StepResult result_of(const std::string& attempt, probes::ChildResult child, rules::Duration limit);

}  // namespace watcher
