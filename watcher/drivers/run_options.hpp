#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// What a program that runs other files does with its options. A letter's argument stands in the same word or in the
// next one.
struct RunProgram {
  enum class Kind {
    runner,       // runs the command that follows its options and operands: env, timeout
    login,        // the same as another user, whom an operand names: su
    shell,        // reads the script in its first operand, or in a word (-c)
    interpreter,  // reads the script in its first operand
    reader,       // reads what its options name, its operands are none of these: awk, make
    client,       // a reader that takes commands from its standard input, too: psql
    composer,     // a reader behind its operand `compose`: docker
    folder,       // runs what lies in the folders that its operands name: run-parts
    java,         // its options are words of their own
  };
  std::string_view names;  // with blanks around each; also followed by a version, such as python3.11
  Kind kind;
  std::string_view with_argument{};
  std::string_view attached{};  // with an argument, if any, in the same word
  std::string_view code{};      // the argument is what is run: there is no script in an operand
  std::string_view last{};      // the same, and no option follows
  std::string_view aside{};     // of with_argument, what names nothing that is read as a command: a port, a log
  char user = '\0';             // the argument says as whom
  char dir = '\0';              // the argument says where
  char script = '\0';           // the argument is a shell's script
  char split = '\0';            // the argument is the rest of the command line
};

// nullptr: it is not known to run other files.
const RunProgram* run_program(std::string_view program);

// What the options of a command line say.
struct CommandOptions {
  std::size_t behind = 1;              // the place of the first operand
  std::vector<std::string> arguments;  // of its options
  std::optional<std::string> user;     // as whom it runs what it runs
  std::optional<std::string> dir;      // where
  std::optional<std::string> script;   // of a shell
  std::optional<std::string> split;    // before the operands
  bool is_inline = false;              // what it runs stands in an option
};

CommandOptions options_of(const RunProgram& program, std::span<const std::string> words);

}  // namespace watcher
