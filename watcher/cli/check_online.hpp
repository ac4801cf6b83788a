#pragma once

#include <string>
#include <vector>

#include "rules/base/poll.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

// One line of what `check --online` found.
struct OnlineFinding {
  enum class Kind {
    fine,    // it is as it should be
    advice,  // it works, but could be better
    wrong,   // a probe is down, a command is missing, a driver is not ready
  };
  Kind kind = Kind::fine;
  std::string subject;  // "probe app", "service web"
  std::string text;
};

// Polls every probe once, asks every driver what runs and whether it could switch. Changes nothing.
std::vector<OnlineFinding> check_online(const Config& config);

// As whom the commands of every service run, and each other that has a user of its own. Asks nobody.
std::vector<OnlineFinding> as_whom(const Config& config);
// Services whose `identify` cannot see what their switch does.
std::vector<OnlineFinding> blind_identities(const Config& config);
// Services that only a person would roll back.
std::vector<OnlineFinding> unjudged_services(const Config& config);
// Steps that run pm2 beside a driver of that name, as another user or without its PM2_HOME.
std::vector<OnlineFinding> pm2_of_others(const Config& config);
// Rungs that are not taken where they would be looked for: after a switch that failed, or did not help.
std::vector<OnlineFinding> unreached_rungs(const Config& config);
// Steps of what follows an outcome that are not begun without a backup, which only a deployment or a person can name:
// an action whose own steps need one is not begun at all.
std::vector<OnlineFinding> needed_backups(const Config& config);
// Commands that cannot be found.
std::vector<OnlineFinding> missing_commands(const Config& config);
// What scripts of steps start by a path that begins where they run, and is not there.
std::vector<OnlineFinding> missing_beside(const Config& config);
// What one poll of every target says about probes, signals and the thresholds that rules compare them with.
std::vector<OnlineFinding> lint_polls(const Config& config, const std::vector<rules::Poll>& polls);

}  // namespace watcher
