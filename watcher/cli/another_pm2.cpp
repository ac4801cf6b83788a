#include <string>
#include <variant>

#include "watcher/cli/check_online.hpp"
#include "watcher/drivers/runs_as.hpp"

// A step that runs pm2 as somebody else than the driver: pm2 starts a daemon of its own there, which knows no process
// of the application, and says that all is well.

namespace watcher {

namespace {

const std::vector<std::string>* argv_of(const rules::StepSpec& step) {
  if (const auto* const run = std::get_if<rules::RunStep>(&step.what)) return &run->argv;
  const auto* const capture = std::get_if<rules::CaptureStep>(&step.what);
  return capture == nullptr ? nullptr : &capture->argv;
}

bool runs_another(const rules::StepSpec& step, const Pm2Driver& driver) {
  const std::vector<std::string>* const argv = argv_of(step);
  const std::string pm2 = driver.pm2.empty() ? "pm2" : driver.pm2.front();
  if (argv == nullptr || argv->empty() || (argv->front() != "pm2" && argv->front() != pm2)) return false;
  const RunsAs as = runs_as(driver.dir, driver.user);
  const bool says_home = step.env.contains("PM2_HOME");
  return !says_home && (step.user != as.user || !driver.home.empty());
}

std::string advice(const Pm2Driver& driver) {
  const std::string user = runs_as(driver.dir, driver.user).user;
  std::string say;
  if (!user.empty()) say = "user = \"" + user + "\"";
  if (!driver.home.empty()) say += (say.empty() ? "" : " and ") + ("env.PM2_HOME = \"" + driver.home + "\"");
  return "it runs pm2 not as the driver does, where pm2 starts another daemon that knows none of the processes; say " +
         say;
}

const Pm2Driver* pm2_of(const DriverKind& driver) {
  for (const DriverKind* const one : each_of(driver)) {
    if (const auto* const pm2 = std::get_if<Pm2Driver>(one)) return pm2;
  }
  return nullptr;
}

}  // namespace

std::vector<OnlineFinding> pm2_of_others(const Config& config) {
  std::vector<OnlineFinding> out;
  for (const DriverSection& section : config.drivers) {
    const Pm2Driver* const driver = pm2_of(section.driver);
    if (driver == nullptr) continue;
    for (const rules::ActionSpec& action : config.core.actions) {
      for (const auto* const steps : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
        for (const rules::StepSpec& step : *steps) {
          if (runs_another(step, *driver))
            out.push_back({OnlineFinding::Kind::advice,
                           "action " + action.name.text + ", step " + rules::describe(step), advice(*driver)});
        }
      }
    }
  }
  return out;
}

}  // namespace watcher
