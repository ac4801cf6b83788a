#include <algorithm>
#include <filesystem>

#include "watcher/drivers/environment_says.hpp"
#include "watcher/drivers/run_follower.hpp"
#include "watcher/drivers/run_words.hpp"
#include "watcher/drivers/shell_variables.hpp"

// Of scripts and of what is fed to those that read them.

namespace watcher {

namespace fs = std::filesystem;
using std::string_view;

void RunFollower::fed_to(const Start& start) {
  Start reader = start;
  reader.fed = {};
  if (!start.fed.file.empty()) named({start.fed.file}, reader);
  if (!start.fed.script.empty()) script(start.fed.script, reader);
}

void RunFollower::environment(Words assignments, Start& start) {
  EnvironmentSays says = environment_says(assignments);
  if (looks_inside_) {
    for (const std::string& path : says.paths) add(in_dir(path, start.dir), start);
    named(says.maybe, start);
    for (const std::string& text : says.scripts) script(text, start);
  }
  if (says.path) start.path = std::move(says.path);
}

void RunFollower::shell(Words operands, const CommandOptions& options, const Start& start) {
  if (!options.is_inline) return script_in(operands, start);
  if (!operands.empty()) script(operands.front(), start);
}

// The first operand that is a file: what is none is an option's argument.
void RunFollower::script_in(Words operands, const Start& start) {
  for (const std::string& word : operands) {
    std::error_code failure;
    if (word.empty() || word.front() == '-' || word.front() == '+') continue;
    std::string file = in_dir(word, start.dir);
    if (fs::is_regular_file(file, failure)) return add(std::move(file), start);
    if (&word == &operands.front() && fs::is_directory(file, failure))
      return named({word, word + "/__main__.py", word + "/index.js", word + "/package.json"}, start);
  }
}

void RunFollower::script(string_view text, const Start& start) {
  if (!looks_inside_ || start.depth == 0) return;
  const std::vector<ShellCommand> lines = lines_in_shell(with_variables(text));
  const auto sets_path = [](const std::string& word) { return word.starts_with("PATH="); };
  const bool has_own_path = std::any_of(lines.begin(), lines.end(), [&](const ShellCommand& line) {
    return std::any_of(line.words.begin(), line.words.end(), sets_path);
  });
  for (const ShellCommand& line : lines) {
    const std::string& name = line.words.front();
    // A name in a PATH of the script's own cannot be found.
    const bool is_known = !has_own_path || assigns(name) || name.find('/') != name.npos;
    if (!name.empty() && is_known) line_of(line, start);
  }
}

void RunFollower::line_of(const ShellCommand& line, const Start& start) {
  Start there = start.deeper();
  // Where it is not known from where, what is relative cannot be found.
  there.dir = line.dir ? (fs::path(start.dir) / *line.dir).lexically_normal().string() : "/dev/null";
  const std::string& name = line.words.front();
  if (name == "eval") {
    std::string joined;
    for (std::size_t i = 1; i < line.words.size(); ++i) joined += line.words[i] + " ";
    return script(joined, there);
  }
  if (name == "trap") return trap(line.words, there);
  const bool is_read_in = (name == "." || name == "source") && line.words.size() > 1;
  if (is_read_in && line.words[1].find('/') != std::string::npos) return add(in_dir(line.words[1], there.dir), there);
  if (assigns(name)) return environment(Words(line.words).subspan(1), there);
  there.fed = {line.input, line.script};
  command(line.words, there);
}

void RunFollower::trap(Words words, const Start& start) {
  const std::size_t at = words.size() > 1 && words[1] == "--" ? 2 : 1;
  if (at < words.size()) script(words[at], start);
}

}  // namespace watcher
