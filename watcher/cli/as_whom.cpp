#include <unistd.h>

#include <string_view>
#include <utility>

#include "watcher/cli/check_online.hpp"
#include "watcher/drivers/runs_as.hpp"

namespace watcher {

namespace {

using Kind = OnlineFinding::Kind;

// What is run as the same user, in the order in which it is told.
struct Group {
  std::vector<std::string> what;
  std::string as;
};

std::string shown(const Whom& whom) {
  const RunsAs as = runs_as(whom.dir, whom.user);
  // Who is root can see it, or nobody can yet.
  const bool unseen = whom.user.empty() && !whom.dir.empty() && ::access(whom.dir.c_str(), F_OK) != 0;
  return unseen || !as.error.empty() ? "the owner of " + whom.dir : name_of(as);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) out += (i + 1 == words.size() ? " and " : ", ") + words[i];
  return out;
}

// "git and build run as deploy, restart as root".
std::string text_of(const std::vector<Group>& groups) {
  std::string text;
  for (const Group& group : groups) {
    const std::string_view verb = group.what.size() == 1 ? " runs" : " run";
    if (text.empty())
      text = joined(group.what).append(verb);
    else
      text += ", " + joined(group.what);
    text += " as " + group.as;
  }
  return text;
}

void add(std::vector<Group>& groups, const std::string& what, const std::string& as) {
  for (Group& group : groups) {
    if (group.as != as) continue;
    if (group.what.back() != what) group.what.push_back(what);
    return;
  }
  groups.push_back({{what}, as});
}

// What to do about a command that systemd may refuse; empty: nothing.
std::string advice_for(const NamedCommand& command) {
  const RunsAs as = runs_as(command.whom.dir, command.whom.user);
  if (!as.error.empty() || !may_be_refused(command.argv, as)) return {};
  const bool of_git = command.owner.ends_with(".restart");
  return "; systemd lets only root restart a system's unit, unless polkit has a rule: say " +
         std::string(of_git ? "restart_user" : "user") + " = \"root\"";
}

OnlineFinding of_service(const std::string& service, const std::vector<NamedCommand>& commands) {
  const std::string prefix = "service." + service + ".";
  std::vector<Group> groups;
  std::string advice;
  for (const NamedCommand& command : commands) {
    if (!command.owner.starts_with(prefix)) continue;
    // Several of one key are one thing here.
    const std::string name = command.owner.substr(prefix.size());
    add(groups, name.substr(0, name.find('[')), shown(command.whom));
    if (advice.empty()) advice = advice_for(command);
  }
  return {advice.empty() ? Kind::fine : Kind::advice, "service " + service, text_of(groups) + advice};
}

}  // namespace

std::vector<OnlineFinding> as_whom(const Config& config) {
  const std::vector<NamedCommand> commands = commands_of(config);
  std::vector<OnlineFinding> out;
  for (const DriverSection& section : config.drivers) {
    OnlineFinding finding = of_service(section.service.text, commands);
    if (!finding.text.empty()) out.push_back(std::move(finding));
  }
  for (const NamedCommand& command : commands) {
    if (command.owner.starts_with("service.") || command.whom.user.empty()) continue;
    const std::string advice = advice_for(command);
    out.push_back({advice.empty() ? Kind::fine : Kind::advice, command.owner, "runs as " + command.whom.user + advice});
  }
  return out;
}

}  // namespace watcher
