#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;
using Words = std::span<const std::string>;

// Programs that run the command that follows their own options and operands.
constexpr std::array<std::string_view, 16> runners{"env",     "nice",     "nohup",   "setsid", "timeout", "ionice",
                                                   "stdbuf",  "chrt",     "taskset", "sudo",   "doas",    "runuser",
                                                   "setpriv", "unbuffer", "flock",   "time"};

// Programs that run the script in their first operand, and the options after which there is none: the script stands in
// the next word, or is a module.
struct Interpreter {
  std::string_view name;  // also followed by a version, such as python3.11
  std::string_view inline_options;
};
constexpr std::array<Interpreter, 14> interpreters{{{"sh", "c"},
                                                    {"bash", "c"},
                                                    {"dash", "c"},
                                                    {"ksh", "c"},
                                                    {"zsh", "c"},
                                                    {"ash", "c"},
                                                    {"python", "cm"},
                                                    {"perl", "eE"},
                                                    {"ruby", "e"},
                                                    {"node", "ep"},
                                                    {"nodejs", "ep"},
                                                    {"php", "r"},
                                                    {"lua", "e"},
                                                    {"tclsh", ""}}};

std::string_view base_name(std::string_view program) { return program.substr(program.rfind('/') + 1); }

const Interpreter* interpreter_called(std::string_view program) {
  const std::string_view name = base_name(program);
  const auto found = std::find_if(interpreters.begin(), interpreters.end(), [&](const Interpreter& one) {
    return name.starts_with(one.name) &&
           name.find_first_not_of("0123456789.", one.name.size()) == std::string_view::npos;
  });
  return found == interpreters.end() ? nullptr : &*found;
}

bool is_runner(std::string_view program) {
  return std::find(runners.begin(), runners.end(), base_name(program)) != runners.end();
}

std::string in_dir(const std::string& path, const std::string& dir) {
  return path.front() == '/' ? path : (fs::path(dir) / path).lexically_normal().string();
}

// A program as a command line names it: with a slash a file, from `dir`; without one a file in PATH.
std::optional<std::string> program_called(const std::string& word, const std::string& dir) {
  return find_command(word.find('/') == std::string::npos ? word : in_dir(word, dir));
}

std::optional<std::string> script_of(const Interpreter& interpreter, Words arguments, const std::string& dir) {
  for (const std::string& word : arguments) {
    if (word.empty()) continue;
    if (word.front() == '-' || word.front() == '+') {
      const bool is_long = word.starts_with("--");
      if (!is_long && word.find_first_of(interpreter.inline_options) != std::string::npos) return std::nullopt;
      continue;
    }
    std::error_code failure;
    std::string file = in_dir(word, dir);
    // What is no file is an option's argument, such as pipefail.
    if (fs::is_regular_file(file, failure)) return file;
  }
  return std::nullopt;
}

// Behind the options, operands and assignments of a runner: the first word that names a program.
std::size_t command_behind(Words words, const std::string& dir) {
  std::size_t at = 1;
  while (at < words.size()) {
    const std::string& word = words[at];
    const bool may_be = !word.empty() && word.front() != '-' && word.find('=') == std::string::npos;
    if (may_be && program_called(word, dir)) break;
    ++at;
  }
  return at;
}

}  // namespace

std::vector<std::string> files_run(const std::vector<std::string>& argv, const std::string& dir) {
  std::vector<std::string> out;
  Words words(argv);
  while (!words.empty() && !words.front().empty()) {
    const std::optional<std::string> program = program_called(words.front(), dir);
    if (!program) break;
    out.push_back(*program);
    if (const Interpreter* const interpreter = interpreter_called(words.front())) {
      if (std::optional<std::string> script = script_of(*interpreter, words.subspan(1), dir)) out.push_back(*script);
      break;
    }
    if (!is_runner(words.front())) break;
    words = words.subspan(command_behind(words, dir));
  }
  return out;
}

}  // namespace watcher
