#include "watcher/drivers/shell_commands.hpp"

#include <algorithm>
#include <array>

#include "watcher/drivers/shell_reader.hpp"

namespace watcher {

namespace {

using std::string_view;

// What asks whether there is a command.
constexpr std::array<string_view, 5> questions{"command -v ", "command -V ", "type ", "which ", "hash "};

bool is_asked_for(string_view script, const std::string& name) {
  return std::any_of(questions.begin(), questions.end(), [&](string_view question) {
    return script.find(std::string(question) + name) != string_view::npos;
  });
}

}  // namespace

std::string script_of(const std::vector<std::string>& argv) {
  constexpr std::array<string_view, 4> shells{"sh", "bash", "dash", "ksh"};
  if (argv.size() < 3) return "";
  const std::string name = argv[0].substr(argv[0].rfind('/') + 1);
  const bool is_shell = std::find(shells.begin(), shells.end(), name) != shells.end();
  const std::string& flags = argv[1];
  const bool has_script = flags.size() > 1 && flags[0] == '-' && flags[1] != '-' && flags.back() == 'c';
  return is_shell && has_script ? argv[2] : "";
}

std::vector<std::string> commands_in_shell(string_view script) {
  if (script.find("PATH=") != string_view::npos) return {};
  std::vector<std::string> found = ShellReader(script).run().value_or(std::vector<std::string>());
  std::erase_if(found, [&](const std::string& name) { return is_asked_for(script, name); });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<ShellCommand> lines_in_shell(string_view script) {
  ShellReader reader(script);
  reader.run();
  return reader.lines();
}

}  // namespace watcher
