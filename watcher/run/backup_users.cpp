#include "watcher/run/backup_users.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "watcher/drivers/shell_commands.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view variable = "ROLLBACKD_BACKUP";
constexpr std::streamsize script_read_max = 256 * 1024;  // bytes; a script, not a program
constexpr int scripts_deep = 4;                          // that call each other
constexpr std::size_t files_max = 200;                   // that one step may lead to

bool names_it(std::string_view text) { return text.find(variable) != std::string_view::npos; }

// What a script's file says; nullopt: it is a program, or cannot be read.
std::optional<std::string> script_in(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  std::string text(2, '\0');
  in.read(text.data(), 2);
  if (text ==
      "\x7f"
      "E")
    return std::nullopt;
  text.resize(static_cast<std::size_t>(script_read_max));
  in.read(text.data() + 2, script_read_max - 2);
  text.resize(static_cast<std::size_t>(in.gcount()) + 2);
  return text;
}

// Of one command, through the scripts that it runs and those that they run.
class Search {
 public:
  bool in_command(const std::vector<std::string>& argv, const std::string& dir, int depth);

 private:
  bool in_file(const std::string& path, const std::string& dir, int depth);
  bool in_script(const std::string& text, const std::string& own_dir, const std::string& dir, int depth);

  std::set<std::string> seen_;
};

bool Search::in_command(const std::vector<std::string>& argv, const std::string& dir, int depth) {
  for (const std::string& word : argv) {
    const bool is_path = word.find('/') != std::string::npos && word.find_first_of(" \n") == std::string::npos;
    if (names_it(word) || (is_path && in_file(fs::path(dir) / word, dir, depth))) return true;
  }
  const std::vector<RunFile> files = files_run_as(argv, dir, "");
  return std::any_of(files.begin(), files.end(), [&](const RunFile& file) { return in_file(file.path, dir, depth); });
}

bool Search::in_file(const std::string& path, const std::string& dir, int depth) {
  if (depth == 0 || seen_.size() >= files_max || !seen_.insert(path).second) return false;
  const std::optional<std::string> text = script_in(path);
  if (!text) return false;
  if (names_it(*text)) return true;
  return in_script(*text, fs::path(path).parent_path().string(), dir, depth - 1);
}

// A script finds others where it was started, where it lies itself, or behind what is only known when it runs
// ("$HERE/restore.sh"), which mostly is one of the two.
bool Search::in_script(const std::string& text, const std::string& own_dir, const std::string& dir, int depth) {
  if (depth == 0) return false;
  for (const std::string& place : {dir, own_dir}) {
    if (in_command({"sh", "-c", text}, place, depth)) return true;
    for (const ShellCommand& line : lines_in_shell(text)) {
      for (const std::string& file : line.run_from_elsewhere) {
        if (in_file(place + "/" + file, dir, depth)) return true;
      }
    }
  }
  return false;
}

bool uses_it(const rules::StepSpec& step, const std::vector<std::string>& service_dirs) {
  const auto* const run = std::get_if<rules::RunStep>(&step.what);
  if (run == nullptr) return false;
  const bool in_environment =
      std::any_of(step.env.begin(), step.env.end(), [](const auto& entry) { return names_it(entry.second.value); });
  if (in_environment) return true;
  const std::vector<std::string> dirs = step.dir.empty() ? service_dirs : std::vector<std::string>{step.dir};
  return std::any_of(dirs.begin(), dirs.end(),
                     [&](const std::string& dir) { return Search().in_command(run->argv, dir, scripts_deep); });
}

}  // namespace

void mark_backup_users(rules::CoreConfig& core, const Config& config) {
  std::vector<std::string> dirs;
  for (const DriverSection& section : config.drivers) dirs.push_back(section.dir.empty() ? config.dir : section.dir);
  for (rules::ActionSpec& action : core.actions) {
    for (auto* const steps : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
      for (rules::StepSpec& step : *steps) step.uses_backup = uses_it(step, dirs);
    }
  }
}

}  // namespace watcher
