#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "watcher/drivers/shell_commands.hpp"
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

constexpr int inline_depth_max = 4;  // scripts within words of scripts

// The script that a shell gets as a word, behind runners, too; none: there is none.
std::optional<std::string> inline_script(Words words, const std::string& dir) {
  while (!words.empty() && is_runner(words.front())) words = words.subspan(command_behind(words, dir));
  if (words.empty()) return std::nullopt;
  const Interpreter* const interpreter = interpreter_called(words.front());
  if (interpreter == nullptr || interpreter->inline_options != "c") return std::nullopt;
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    const bool is_option = word.size() > 1 && word.front() == '-' && word[1] != '-';
    if (is_option && word.find('c') != std::string::npos) return words[i + 1];
  }
  return std::nullopt;
}

void add_inline(std::vector<std::string>& out, const std::vector<std::string>& argv, const std::string& dir,
                int depth) {
  const std::optional<std::string> script = inline_script(argv, dir);
  if (!script || depth == 0) return;
  const bool has_own_path = script->find("PATH=") != std::string::npos;
  for (const ShellCommand& line : lines_in_shell(*script)) {
    // Where it is not known from where, what is relative cannot be found; nor can a name in a PATH of the script's own.
    const std::string from = line.dir ? (fs::path(dir) / *line.dir).lexically_normal().string() : "/dev/null";
    const std::string& name = line.words.front();
    if (name.empty() || (has_own_path && name.find('/') == std::string::npos)) continue;
    std::vector<std::string> files = files_run(line.words, from);
    const bool is_read_in = (name == "." || name == "source") && line.words.size() > 1;
    if (is_read_in && line.words[1].find('/') != std::string::npos) files.push_back(in_dir(line.words[1], from));
    out.insert(out.end(), files.begin(), files.end());
    add_inline(out, line.words, from, depth - 1);
  }
}

}  // namespace

std::vector<std::string> files_run_inline(const std::vector<std::string>& argv, const std::string& dir) {
  std::vector<std::string> out;
  add_inline(out, argv, dir, inline_depth_max);
  return out;
}

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
