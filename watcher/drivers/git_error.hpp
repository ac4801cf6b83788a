#pragma once

#include <string>

#include "probes/net/child.hpp"
#include "watcher/drivers/git_runner.hpp"

namespace watcher {

// Why the git command failed, and what to do where that is known: "git rev-parse in /opt/app: ...; do ...".
GitError error_of(const probes::ChildSpec& spec, const std::string& subcommand, const probes::ChildResult& child);

}  // namespace watcher
