#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "rules/base/shell_words.hpp"
#include "watcher/drivers/environment_says.hpp"
#include "watcher/drivers/run_options.hpp"
#include "watcher/drivers/run_words.hpp"
#include "watcher/drivers/shell_commands.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;
using std::string_view;
using Kind = RunProgram::Kind;
using Words = std::span<const std::string>;

constexpr int depth_max = 8;  // commands in commands, and scripts in words of scripts

// What stands ready to be read by whoever reads its standard input as commands.
struct Fed {
  std::string file;    // behind `<`
  std::string script;  // here-documents
};

// From where and as whom; empty: as who began.
struct Start {
  std::string dir;
  std::string user;
  int depth = depth_max;
  std::optional<std::string> path{};  // none: our PATH
  Fed fed{};

  Start deeper() const {
    Start out = *this;
    --out.depth;
    return out;
  }
};

class Follower {
 public:
  explicit Follower(bool looks_inside) : looks_inside_(looks_inside) {}

  void command(Words words, const Start& start);
  // What variables have it run or read, and the PATH in which it looks.
  void environment(Words assignments, Start& start);
  std::vector<RunFile> files() && { return std::move(files_); }

 private:
  void first_line(const std::string& program, const Start& start);
  void find(Words words, const Start& start);
  void run(Words words, const CommandOptions& options, const Start& start);
  void login(Words words, const CommandOptions& options, Start start);
  void shell(Words words, const CommandOptions& options, const Start& start);
  void make(Words words, const Start& start);
  void compose(const CommandOptions& options, bool has_operand, const Start& start);
  void script_in(Words operands, const Start& start);
  void script(string_view text, const Start& start);
  void line_of(const ShellCommand& line, const Start& start);
  void trap(Words words, const Start& start);
  void fed_to(const Start& start);
  void ssh(Words operands, const Start& start);
  void named(const std::vector<std::string>& arguments, const Start& start);
  void add(std::string path, const Start& start) { files_.push_back({std::move(path), start.user}); }

  bool looks_inside_;
  std::vector<RunFile> files_;
};

void Follower::command(Words words, const Start& start) {
  if (words.empty() || words.front().empty() || start.depth == 0) return;
  const std::optional<std::string> program = program_called(words.front(), start.dir, start.path);
  if (!program) return;
  add(*program, start);
  first_line(*program, start);
  const RunProgram* const known = run_program(words.front());
  if (known == nullptr) return find(words, start);
  if (reads_its_input(words)) fed_to(start);
  if (known->kind == Kind::composer) words = behind_compose(words);
  const CommandOptions options = options_of(*known, words);
  Start then = start.deeper();
  if (options.dir) then.dir = in_dir(*options.dir, start.dir);
  if (options.user) then.user = user_called(*options.user);
  const Words operands = words.subspan(std::min(options.behind, words.size()));
  switch (known->kind) {
    case Kind::runner:
      if (operands.empty() && known->user != '\0') fed_to(then);  // sudo -s
      return run(operands, options, then);
    case Kind::login:
      return login(operands, options, then);
    case Kind::shell:
      named(options.arguments, then);
      return shell(operands, options, then);
    case Kind::interpreter:
      named(options.arguments, then);
      if (!options.is_inline) script_in(operands, then);
      return;
    case Kind::reader:
      named(options.arguments, then);
      if (options.script) script(*options.script, then);
      if (known->dir != '\0') make(words, then);
      if (known->names.starts_with(" ssh ")) ssh(operands, then);
      return;
    case Kind::composer:
      if (!words.empty()) compose(options, !operands.empty(), then);
  }
}

// What the kernel starts in the place of a script.
void Follower::first_line(const std::string& program, const Start& start) {
  if (!looks_inside_) return;
  std::vector<std::string> words = interpreter_line(program);
  if (words.empty()) return;
  words.push_back(program);
  command(words, start.deeper());
}

// find -exec COMMAND ;
void Follower::find(Words words, const Start& start) {
  if (!words.front().ends_with("find")) return;
  constexpr std::array<string_view, 4> options{"-exec", "-execdir", "-ok", "-okdir"};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (std::find(options.begin(), options.end(), words[i]) != options.end())
      command(words.subspan(i + 1), start.deeper());
  }
}

// Behind operands and assignments: the first word that names a program.
void Follower::run(Words operands, const CommandOptions& options, const Start& begun) {
  Start start = begun;
  const auto behind = std::find_if(operands.begin(), operands.end(), [](const std::string& word) {
    return word.find('=') == word.npos || word.find_first_of("/ -") < word.find('=');
  });
  environment(operands.first(static_cast<std::size_t>(behind - operands.begin())), start);
  if (options.script) script(*options.script, start);
  if (options.split) {
    std::vector<std::string> words = rules::shell_words(*options.split);
    words.insert(words.end(), operands.begin(), operands.end());
    words.insert(words.begin(), "env");
    return command(words, start);
  }
  for (std::size_t at = 0; at < operands.size(); ++at) {
    const std::string& word = operands[at];
    if (word == "-c" && at + 1 < operands.size()) return script(operands[at + 1], start);
    const bool may_be = !word.empty() && word.front() != '-' && word.find('=') == word.npos;
    if (may_be && program_called(word, start.dir, start.path)) return command(operands.subspan(at), start);
  }
}

// su - USER -c "...", runuser -u USER -- COMMAND, gosu USER COMMAND.
void Follower::login(Words operands, const CommandOptions& options, Start start) {
  if (options.user) return run(operands, options, start);
  std::size_t at = 0;
  while (at < operands.size() && operands[at].starts_with('-')) ++at;
  if (at < operands.size()) start.user = user_called(operands[at++]);
  if (options.script) script(*options.script, start);
  if (at >= operands.size() && !options.script) fed_to(start);
  run(operands.subspan(std::min(at, operands.size())), {}, start);
}

// `ssh HOST -F x` reads x, too.
void Follower::ssh(Words operands, const Start& start) {
  const RunProgram* const known = run_program("ssh");
  if (operands.size() > 1 && operands[1].starts_with('-')) named(options_of(*known, operands).arguments, start);
}

void Follower::fed_to(const Start& start) {
  Start reader = start;
  reader.fed = {};
  if (!start.fed.file.empty()) named({start.fed.file}, reader);
  if (!start.fed.script.empty()) script(start.fed.script, reader);
}

void Follower::environment(Words assignments, Start& start) {
  EnvironmentSays says = environment_says(assignments);
  if (looks_inside_) {
    for (const std::string& path : says.paths) add(in_dir(path, start.dir), start);
    named(says.maybe, start);
    for (const std::string& text : says.scripts) script(text, start);
  }
  if (says.path) start.path = std::move(says.path);
}

void Follower::shell(Words operands, const CommandOptions& options, const Start& start) {
  if (!options.is_inline) return script_in(operands, start);
  if (!operands.empty()) script(operands.front(), start);
}

// Without -f it is the file of a usual name, which may also come to be there.
void Follower::make(Words words, const Start& start) {
  const bool is_named = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("-f") || word.starts_with("--file") || word.starts_with("--makefile");
  });
  if (!is_named) named({".", "GNUmakefile", "makefile", "Makefile"}, start);
}

// Its files may have anything started as root. Without -f they are those of the usual names.
void Follower::compose(const CommandOptions& options, bool has_operand, const Start& start) {
  named(options.arguments, start);
  if (options.arguments.empty() && has_operand)
    named({"compose.yaml", "compose.yml", "compose.override.yaml", "compose.override.yml", "docker-compose.yaml",
           "docker-compose.yml", "docker-compose.override.yaml", "docker-compose.override.yml"},
          start);
}

// The first operand that is a file: what is none is an option's argument.
void Follower::script_in(Words operands, const Start& start) {
  for (const std::string& word : operands) {
    std::error_code failure;
    if (word.empty() || word.front() == '-' || word.front() == '+') continue;
    std::string file = in_dir(word, start.dir);
    if (fs::is_regular_file(file, failure)) return add(std::move(file), start);
  }
}

// What the options of an interpreter name is read in by it: -r X, -I FOLDER, -Mlib=FOLDER.
void Follower::named(const std::vector<std::string>& arguments, const Start& start) {
  if (!looks_inside_) return;
  for (const std::string& argument : arguments) {
    // `KEY=FILE`, `KEY FILE`, and with words behind: `-o "ProxyCommand=x.sh %h"`.
    const std::string value = argument.substr(argument.rfind('=') + 1);
    const std::string behind = argument.substr(std::min(argument.find(' '), argument.size() - 1) + 1);
    for (const std::string& word :
         {argument, value, value.substr(0, value.find(' ')), behind, behind.substr(0, behind.find(' '))}) {
      std::error_code failure;
      std::string file = in_dir(word, start.dir);
      if (!word.empty() && fs::exists(file, failure)) add(std::move(file), start);
    }
  }
}

void Follower::script(string_view text, const Start& start) {
  if (!looks_inside_ || start.depth == 0) return;
  const std::vector<ShellCommand> lines = lines_in_shell(text);
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

void Follower::line_of(const ShellCommand& line, const Start& start) {
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

void Follower::trap(Words words, const Start& start) {
  const std::size_t at = words.size() > 1 && words[1] == "--" ? 2 : 1;
  if (at < words.size()) script(words[at], start);
}

}  // namespace

std::vector<RunFile> files_run_as(const std::vector<std::string>& argv, const std::string& dir, const std::string& user,
                                  const std::vector<std::string>& env) {
  Follower follower(true);
  Start start{dir, user};
  follower.environment(env, start);
  follower.command(argv, start);
  return std::move(follower).files();
}

std::vector<std::string> files_run(const std::vector<std::string>& argv, const std::string& dir) {
  Follower follower(false);
  follower.command(argv, {dir, {}});
  std::vector<std::string> out;
  for (RunFile& file : std::move(follower).files()) out.push_back(std::move(file.path));
  return out;
}

}  // namespace watcher
