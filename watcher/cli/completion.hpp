#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace watcher {

// A script for bash that completes commands, their options, and after `help` the keys of the configuration.
std::string bash_completion(const CLI::App& app);

}  // namespace watcher
