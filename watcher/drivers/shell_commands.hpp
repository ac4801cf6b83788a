#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// The programs that a script of a POSIX shell starts, by the names under which it looks for them, also those behind
// `sudo`, `timeout 5` and the like: no words and builtins of the shell, no functions of the script, nothing that is
// only known when it runs ("$DIR/tool"), nothing whose absence the script reckons with (`command -v tool`,
// `tool || other`), no names without a slash behind `. ./file`, which may be functions of that. Nothing at all of a
// script that has a PATH of its own, or does not end as it should: a false alarm is worse than none.
std::vector<std::string> commands_in_shell(std::string_view script);

// The script of `sh -c SCRIPT`, also of `bash -euc SCRIPT`; empty: it is another command.
std::string script_of(const std::vector<std::string>& argv);

// A command of a script with its arguments. A word that is only known when it runs is empty.
struct ShellCommand {
  std::vector<std::string> words;
  std::optional<std::string> dir;  // that `cd` led to, from where the script starts; none: it is not known
  std::string input{};             // the file behind `<`; empty: none, or only known when it runs
  // Names of files that it runs behind what is only known then: restore.sh of "$HERE/restore.sh" and of `sh
  // "$HERE/..."`.
  std::vector<std::string> run_from_elsewhere{};
  std::string script{};  // here-documents and words behind `<<<` that it, or one beside it, reads
};

// Every command of the script, builtins of the shell and all branches of a `case` too, up to a quote or parenthesis
// that does not end.
std::vector<ShellCommand> lines_in_shell(std::string_view script);

}  // namespace watcher
