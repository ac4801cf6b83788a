#include "watcher/run/backup_users.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace watcher {

namespace {

constexpr std::string_view variable = "ROLLBACKD_BACKUP";
constexpr std::streamsize script_read_max = 256 * 1024;  // bytes; a script, not a program

bool names_it(std::string_view text) { return text.find(variable) != std::string_view::npos; }

bool is_script_that_names_it(const std::string& word, const std::string& dir) {
  if (word.find('/') == std::string::npos) return false;
  const std::filesystem::path path = std::filesystem::path(dir) / word;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream in(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(script_read_max), '\0');
  in.read(text.data(), script_read_max);
  text.resize(static_cast<std::size_t>(in.gcount()));
  return names_it(text);
}

bool uses_it(const std::vector<std::string>& argv, const std::vector<std::string>& dirs) {
  return std::any_of(argv.begin(), argv.end(), [&](const std::string& word) {
    if (names_it(word)) return true;
    return std::any_of(dirs.begin(), dirs.end(),
                       [&](const std::string& dir) { return is_script_that_names_it(word, dir); });
  });
}

bool uses_it(const rules::StepSpec& step, const std::vector<std::string>& service_dirs) {
  const auto* const run = std::get_if<rules::RunStep>(&step.what);
  if (run == nullptr) return false;
  const bool in_environment =
      std::any_of(step.env.begin(), step.env.end(), [](const auto& entry) { return names_it(entry.second.value); });
  if (in_environment) return true;
  return uses_it(run->argv, step.dir.empty() ? service_dirs : std::vector<std::string>{step.dir});
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
