#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watcher/drivers/run_options.hpp"
#include "watcher/drivers/shell_commands.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

// Follows a command line to every file that is run or read as commands on its way: programs, their scripts, what their
// options and their environment name.
class RunFollower {
 public:
  using Words = std::span<const std::string>;
  static constexpr int depth_max = 8;  // commands in commands, and scripts in words of scripts

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

  explicit RunFollower(bool looks_inside) : looks_inside_(looks_inside) {}

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
  void parts(Words folders, const Start& start);
  void script(std::string_view text, const Start& start);
  void line_of(const ShellCommand& line, const Start& start);
  void trap(Words words, const Start& start);
  void fed_to(const Start& start);
  void ssh(Words operands, const Start& start);
  void named(const std::vector<std::string>& arguments, const Start& start);
  void add(std::string path, const Start& start) { files_.push_back({std::move(path), start.user}); }

  bool looks_inside_;
  std::vector<RunFile> files_;
};

}  // namespace watcher
