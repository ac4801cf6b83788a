#include "watcher/run/plan_commands.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <utility>
#include <variant>

#include "watcher/drivers/environment_says.hpp"
#include "watcher/drivers/trusted_path.hpp"
#include "watcher/drivers/why_not.hpp"

namespace watcher {

namespace {

const std::vector<std::string>* argv_of(const rules::StepSpec& step) {
  if (const auto* const run = std::get_if<rules::RunStep>(&step.what)) return &run->argv;
  if (const auto* const capture = std::get_if<rules::CaptureStep>(&step.what)) return &capture->argv;
  return nullptr;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code failure;
  return std::filesystem::exists(path, failure);
}

// Looks at the steps of a plan in their order.
class Plan {
 public:
  explicit Plan(const std::string& dir) : dir_(dir) {}

  std::string why_not(const std::string& owner, const std::vector<rules::StepSpec>& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::string why = why_not(steps[i]);
      if (!why.empty()) return owner + " " + std::to_string(i + 1) + ": " + why;
    }
    return {};
  }

 private:
  std::string why_not(const rules::StepSpec& step) {
    const std::vector<std::string>* const argv = argv_of(step);
    if (argv == nullptr) {
      makes_files_ = makes_files_ || std::holds_alternative<rules::SwitchStep>(step.what);
      return {};
    }
    const std::string& dir = step.dir.empty() ? dir_ : step.dir;
    // What is not there yet, folder or file, may be made by what runs before.
    if (makes_files_ && !dir.empty() && !is_there(dir)) return {};
    std::string why = why_not_started({*argv, dir, step.user, assignments_of(step.env)});
    if (why.empty() && !step.stdin_file.empty() && !makes_files_) why = why_not_read(step.stdin_file);
    const bool is_later_folder = makes_files_ && !is_there(std::filesystem::path(step.stdout_file).parent_path());
    if (why.empty() && !step.stdout_file.empty() && !is_later_folder) why = why_not_written(step.stdout_file);
    makes_files_ = true;
    return why;
  }

  const std::string& dir_;
  bool makes_files_ = false;
};

void add_files(std::vector<LaterFile>& out, const std::string& owner, const std::vector<std::string>& argv,
               const std::string& dir) {
  for (std::string& path : files_run(argv, dir)) out.push_back({owner, std::move(path)});
}

void add_files(std::vector<LaterFile>& out, const std::string& owner, const std::vector<rules::StepSpec>& steps,
               std::size_t first, const std::string& dir) {
  for (std::size_t i = first; i < steps.size(); ++i) {
    const std::vector<std::string>* const argv = argv_of(steps[i]);
    if (argv == nullptr) continue;
    add_files(out, owner + " " + std::to_string(i + 1), *argv, steps[i].dir.empty() ? dir : steps[i].dir);
  }
}

// What the driver itself runs then.
struct RunFromTarget {
  std::vector<LaterFile>& out;

  void operator()(std::monostate) const {}
  void operator()(const auto& driver) const {
    for (const NamedCommand& command : driver.run_from_target())
      add_files(out, command.owner, command.argv, driver.dir);
  }
};

}  // namespace

Responses responses_of(const Config& config) {
  std::map<rules::ActionName, std::size_t> places;
  for (std::size_t i = 0; i < config.core.actions.size(); ++i) places.emplace(config.core.actions[i].name, i);
  std::map<rules::ServiceName, std::set<std::size_t>> found;  // in the order of the configuration
  for (const rules::RuleSpec& rule : config.core.rules) {
    for (const rules::ActionName& action : rule.respond) {
      const auto place = places.find(action);
      if (place != places.end()) found[rule.service].insert(place->second);
    }
  }
  Responses responses;
  for (const auto& [service, actions] : found) {
    for (const std::size_t i : actions) responses[service].push_back(&config.core.actions[i]);
  }
  return responses;
}

std::vector<const rules::ActionSpec*> begun_by_hand(const Config& config) {
  std::set<rules::ActionName> used;
  for (const rules::RuleSpec& rule : config.core.rules) used.insert(rule.respond.begin(), rule.respond.end());
  std::vector<const rules::ActionSpec*> out;
  for (const rules::ActionSpec& action : config.core.actions) {
    if (!used.contains(action.name)) out.push_back(&action);
  }
  return out;
}

const std::string& dir_of(const DriverSection& section, const Config& config) {
  return section.dir.empty() ? config.dir : section.dir;
}

std::string why_plans_cannot_run(const std::vector<const rules::ActionSpec*>& plans, const std::string& dir) {
  for (const rules::ActionSpec* const action : plans) {
    const std::string owner = "action." + action->name.text;
    const std::pair<const char*, const std::vector<rules::StepSpec>*> sections[] = {
        {".step", &action->steps},
        {".on_success", &action->on_success},
        {".on_failure", &action->on_failure},
        {".always", &action->always}};
    Plan plan(dir);
    for (const auto& [name, steps] : sections) {
      std::string why = plan.why_not(owner + name, *steps);
      if (!why.empty()) return why;
    }
  }
  return {};
}

std::vector<LaterFile> files_run_there(const std::vector<const rules::ActionSpec*>& plans, const DriverSection& section,
                                       const std::string& dir) {
  std::vector<LaterFile> out;
  for (const DriverKind* const driver : each_of(section.driver)) std::visit(RunFromTarget{out}, *driver);
  for (const rules::ActionSpec* const action : plans) {
    if (action->switch_step() == nullptr) continue;
    const std::string owner = "action." + action->name.text;
    const auto switches = std::find_if(action->steps.begin(), action->steps.end(), [](const rules::StepSpec& step) {
      return std::holds_alternative<rules::SwitchStep>(step.what);
    });
    add_files(out, owner + ".step", action->steps, static_cast<std::size_t>(switches - action->steps.begin()), dir);
    add_files(out, owner + ".on_success", action->on_success, 0, dir);
    add_files(out, owner + ".always", action->always, 0, dir);
  }
  return out;
}

asio::awaitable<std::string> why_not_there(Driver& driver, std::vector<LaterFile> files, rules::Revision to) {
  std::vector<std::string> paths;
  for (const LaterFile& file : files) paths.push_back(file.path);
  const std::vector<std::string> gone = co_await driver.taken_away(to, std::move(paths));
  for (const LaterFile& file : files) {
    if (std::find(gone.begin(), gone.end(), file.path) == gone.end()) continue;
    std::string why = file.owner + ": " + file.path + " is not in " + to.text;
    why += ", which is checked out by then; do put it outside of the repository, or into that revision";
    co_return why;
  }
  co_return std::string();
}

}  // namespace watcher
