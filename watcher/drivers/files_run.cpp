#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>

#include "rules/base/shell_words.hpp"
#include "watcher/drivers/run_options.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/shell_commands.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;
using std::string_view;
using Kind = RunProgram::Kind;
using Words = std::span<const std::string>;

constexpr int depth_max = 8;  // commands in commands, and scripts in words of scripts

// From where and as whom; empty: as who began.
struct Start {
  std::string dir;
  std::string user;
  int depth = depth_max;

  Start deeper() const { return {dir, user, depth - 1}; }
};

std::string in_dir(const std::string& path, const std::string& dir) {
  return path.starts_with('/') ? path : (fs::path(dir) / path).lexically_normal().string();
}

// A program as a command line names it: with a slash a file, from `dir`; without one a file in PATH.
std::optional<std::string> program_called(const std::string& word, const std::string& dir) {
  return find_command(word.find('/') == std::string::npos ? word : in_dir(word, dir));
}

// The account that a word of a command line means: a name, a number, with a group behind it.
std::string user_called(string_view word) {
  word = word.substr(0, word.find(':'));
  if (word.starts_with('#')) word.remove_prefix(1);
  const bool is_number = !word.empty() && word.find_first_not_of("0123456789") == word.npos && word.size() < 10;
  return is_number ? account_of(static_cast<unsigned>(std::stoul(std::string(word)))) : std::string(word);
}

// As the kernel takes the first line of a script apart: the interpreter, and all that follows as one word.
std::vector<std::string> interpreter_line(const std::string& file) {
  constexpr std::size_t looked_at = 255;  // bytes
  constexpr string_view blanks = " \t";
  std::ifstream in(file, std::ios::binary);
  std::string line(looked_at, '\0');
  in.read(line.data(), looked_at);
  line.resize(static_cast<std::size_t>(in.gcount()));
  if (!line.starts_with("#!")) return {};
  line.resize(std::min(line.find('\n'), line.size()));
  const std::size_t begin = line.find_first_not_of(blanks, 2);
  if (begin == line.npos) return {};
  const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
  std::vector<std::string> out{line.substr(begin, end - begin)};
  const std::size_t rest = line.find_first_not_of(blanks, end);
  if (rest != line.npos) out.push_back(line.substr(rest, line.find_last_not_of(" \t\r") + 1 - rest));
  return out;
}

// A shell or another interpreter that is given no script.
bool reads_its_input(Words words) {
  const RunProgram* const known = run_program(words.front());
  if (known == nullptr || (known->kind != Kind::shell && known->kind != Kind::interpreter)) return false;
  const CommandOptions options = options_of(*known, words);
  const Words before = words.first(std::min(options.behind, words.size()));
  const bool says_so =
      known->kind == Kind::shell && std::any_of(before.begin() + 1, before.end(), [](const auto& word) {
        return word.size() > 1 && word[0] == '-' && word[1] != '-' && word.find('s') != word.npos;
      });
  return !options.is_inline && (says_so || options.behind >= words.size());
}

// `docker --context x compose -f FILE up` as `compose -f FILE up`; empty: another word of docker's.
Words behind_compose(Words words) {
  if (words.front().ends_with("-compose")) return words;
  for (std::size_t at = 1; at < words.size(); ++at) {
    if (words[at] == "compose") return words.subspan(at);
    const bool is_option = words[at].starts_with("-") || (at > 1 && words[at - 1].starts_with("-"));
    if (!is_option) return {};
  }
  return {};
}

class Follower {
 public:
  explicit Follower(bool looks_inside) : looks_inside_(looks_inside) {}

  void command(Words words, const Start& start);
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
  void named(const std::vector<std::string>& arguments, const Start& start);
  void add(std::string path, const Start& start) { files_.push_back({std::move(path), start.user}); }

  bool looks_inside_;
  std::vector<RunFile> files_;
};

void Follower::command(Words words, const Start& start) {
  if (words.empty() || words.front().empty() || start.depth == 0) return;
  const std::optional<std::string> program = program_called(words.front(), start.dir);
  if (!program) return;
  add(*program, start);
  first_line(*program, start);
  const RunProgram* const known = run_program(words.front());
  if (known == nullptr) return find(words, start);
  if (known->kind == Kind::composer) words = behind_compose(words);
  const CommandOptions options = options_of(*known, words);
  Start then = start.deeper();
  if (options.dir) then.dir = in_dir(*options.dir, start.dir);
  if (options.user) then.user = user_called(*options.user);
  const Words operands = words.subspan(std::min(options.behind, words.size()));
  switch (known->kind) {
    case Kind::runner:
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
      if (known->dir != '\0') make(words, then);
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
void Follower::run(Words operands, const CommandOptions& options, const Start& start) {
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
    if (may_be && program_called(word, start.dir)) return command(operands.subspan(at), start);
  }
}

// su - USER -c "...", runuser -u USER -- COMMAND, gosu USER COMMAND.
void Follower::login(Words operands, const CommandOptions& options, Start start) {
  if (options.user) return run(operands, options, start);
  std::size_t at = 0;
  while (at < operands.size() && operands[at].starts_with('-')) ++at;
  if (at < operands.size()) start.user = user_called(operands[at++]);
  if (options.script) script(*options.script, start);
  run(operands.subspan(std::min(at, operands.size())), {}, start);
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
  const bool has_own_path = text.find("PATH=") != text.npos;
  for (const ShellCommand& line : lines_in_shell(text)) {
    const std::string& name = line.words.front();
    // A name in a PATH of the script's own cannot be found.
    if (!name.empty() && (!has_own_path || name.find('/') != name.npos)) line_of(line, start);
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
  if (!line.input.empty() && reads_its_input(line.words)) named({line.input}, there);
  if (!line.script.empty() && reads_its_input(line.words)) script(line.script, there);
  command(line.words, there);
}

void Follower::trap(Words words, const Start& start) {
  const std::size_t at = words.size() > 1 && words[1] == "--" ? 2 : 1;
  if (at < words.size()) script(words[at], start);
}

}  // namespace

std::vector<RunFile> files_run_as(const std::vector<std::string>& argv, const std::string& dir,
                                  const std::string& user) {
  Follower follower(true);
  follower.command(argv, {dir, user});
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
