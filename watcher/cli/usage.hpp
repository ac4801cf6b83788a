#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace watcher {

// The commands of a program or of a word that has commands; the one of that name, or nullptr.
std::vector<const CLI::App*> commands_of(const CLI::App& app);
const CLI::App* command_named(const CLI::App& app, const std::string& name);

// What is wrong with a command line that could not be parsed, and where to look: two lines without a final newline.
std::string wrong_usage(const CLI::App& program, const std::vector<std::string>& arguments,
                        const CLI::ParseError& error);

}  // namespace watcher
