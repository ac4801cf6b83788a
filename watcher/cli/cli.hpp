#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <variant>
#include <vector>

#include "watcher/run/run.hpp"
#include "watcher/serve/api.hpp"

namespace watcher {

// What a command may touch besides its arguments; tests put their own in.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  // The running watcher's answer, or why none answers.
  std::function<std::variant<ApiReply, std::string>(const std::string& socket_path, const ApiRequest& request)> call;
  std::function<int(Config config, RunOptions options)> run;
  // Waits between two looks; returns false when there is to be no further one.
  std::function<bool(rules::Duration pause)> wait;
  bool is_screen = false;  // `out` is a terminal, which can be cleared
  // What a rollback would do, looked at without a watcher.
  std::function<ApiReply(const Config& config, rules::RollbackByHand rollback)> plan{};
  // Asks a person and returns the line that was typed; empty: there is nobody to be asked.
  std::function<std::string(const std::string& question)> ask{};
  std::function<int(Config config)> run_runner{};
  // Clears the screen, where there is one. Set by run_cli().
  std::function<void()> clear{};
  // Shows a few words behind what was written, until the next ones or "" are shown. Set where there is a screen.
  std::function<void(const std::string& words)> live{};
};

// One command line, without the program's name. Returns the exit code: 0 fine, 1 the answer is no, 2 wrong usage,
// 3 no watcher answers.
int run_cli(const std::vector<std::string>& arguments, Terminal& terminal);

// The same for main: standard output and error, the real watcher.
int cli_main(int argc, char** argv);

}  // namespace watcher
