#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// What the words of a command line mean to whoever follows what it runs.

std::string in_dir(const std::string& path, const std::string& dir);

// A program as a command line names it: with a slash a file, from `dir`; without one a file in `path`, or else in our
// PATH.
std::optional<std::string> program_called(const std::string& word, const std::string& dir,
                                          const std::optional<std::string>& path);

// The account that a word of a command line means: a name, a number, with a group behind it.
std::string user_called(std::string_view word);

// As the kernel takes the first line of a script apart: the interpreter, and all that follows as one word.
std::vector<std::string> interpreter_line(const std::string& file);

// A shell or another interpreter that is given no script, or a client, such as psql, that may start programs for what
// it reads.
bool reads_its_input(std::span<const std::string> words);

// Files and folders from which `java` loads what it runs.
std::vector<std::string> java_files(std::span<const std::string> words);

// A word of the shell's behind which variables are given values.
bool assigns(std::string_view name);

// `docker --context x compose -f FILE up` as `compose -f FILE up`; empty: another word of docker's.
std::span<const std::string> behind_compose(std::span<const std::string> words);

}  // namespace watcher
