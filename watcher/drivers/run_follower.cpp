#include "watcher/drivers/run_follower.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>

#include "rules/base/shell_words.hpp"
#include "watcher/drivers/run_words.hpp"

namespace watcher {

namespace fs = std::filesystem;
using std::string_view;
using Kind = RunProgram::Kind;

void RunFollower::command(Words words, const Start& start) {
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
    case Kind::client:
    case Kind::reader:
      named(options.arguments, then);
      if (options.script) script(*options.script, then);
      if (known->dir != '\0') make(words, then);
      if (known->names.starts_with(" ssh ")) ssh(operands, then);
      return;
    case Kind::folder:
      return parts(operands, then);
    case Kind::java:
      return named(java_files(words), then);
    case Kind::composer:
      if (!words.empty()) compose(options, !operands.empty(), then);
  }
}

// What the kernel starts in the place of a script.
void RunFollower::first_line(const std::string& program, const Start& start) {
  if (!looks_inside_) return;
  std::vector<std::string> words = interpreter_line(program);
  if (words.empty()) return;
  words.push_back(program);
  command(words, start.deeper());
}

// find -exec COMMAND ;
void RunFollower::find(Words words, const Start& start) {
  if (!words.front().ends_with("find")) return;
  constexpr std::array<string_view, 4> options{"-exec", "-execdir", "-ok", "-okdir"};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (std::find(options.begin(), options.end(), words[i]) != options.end())
      command(words.subspan(i + 1), start.deeper());
  }
}

// Behind operands and assignments: the first word that names a program.
void RunFollower::run(Words operands, const CommandOptions& options, const Start& begun) {
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
void RunFollower::login(Words operands, const CommandOptions& options, Start start) {
  if (options.user) return run(operands, options, start);
  std::size_t at = 0;
  while (at < operands.size() && operands[at].starts_with('-')) ++at;
  if (at < operands.size()) start.user = user_called(operands[at++]);
  if (options.script) script(*options.script, start);
  if (at >= operands.size() && !options.script) fed_to(start);
  run(operands.subspan(std::min(at, operands.size())), {}, start);
}

// `ssh HOST -F x` reads x, too.
void RunFollower::ssh(Words operands, const Start& start) {
  const RunProgram* const known = run_program("ssh");
  if (operands.size() > 1 && operands[1].starts_with('-')) named(options_of(*known, operands).arguments, start);
}

// Without -f it is the file of a usual name, which may also come to be there.
void RunFollower::make(Words words, const Start& start) {
  const bool is_named = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("-f") || word.starts_with("--file") || word.starts_with("--makefile");
  });
  if (!is_named) named({".", "GNUmakefile", "makefile", "Makefile"}, start);
}

// Its files may have anything started as root. Without -f they are those of the usual names.
void RunFollower::compose(const CommandOptions& options, bool has_operand, const Start& start) {
  named(options.arguments, start);
  if (options.arguments.empty() && has_operand)
    named({"compose.yaml", "compose.yml", "compose.override.yaml", "compose.override.yml", "docker-compose.yaml",
           "docker-compose.yml", "docker-compose.override.yaml", "docker-compose.override.yml"},
          start);
}

void RunFollower::parts(Words folders, const Start& start) {
  for (const std::string& word : folders) {
    std::error_code failure;
    const std::string folder = in_dir(word, start.dir);
    if (!fs::is_directory(folder, failure)) continue;
    add(folder, start);
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure))
      command(std::vector{entry.path().string()}, start);
  }
}

// What the options of an interpreter name is read in by it: -r X, -I FOLDER, -Mlib=FOLDER.
void RunFollower::named(const std::vector<std::string>& arguments, const Start& start) {
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

std::vector<RunFile> files_run_as(const std::vector<std::string>& argv, const std::string& dir, const std::string& user,
                                  const std::vector<std::string>& env) {
  RunFollower follower(true);
  RunFollower::Start start{dir, user};
  follower.environment(env, start);
  follower.command(argv, start);
  return std::move(follower).files();
}

std::vector<std::string> files_run(const std::vector<std::string>& argv, const std::string& dir) {
  RunFollower follower(false);
  follower.command(argv, {dir, {}});
  std::vector<std::string> out;
  for (RunFile& file : std::move(follower).files()) out.push_back(std::move(file.path));
  return out;
}

}  // namespace watcher
