#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace watcher {

// What is wrong with a command line that could not be parsed, and where to look: two lines without a final newline.
std::string wrong_usage(const CLI::App& program, const std::vector<std::string>& arguments,
                        const CLI::ParseError& error);

}  // namespace watcher
