#include <array>

#include "probes/key_rows.hpp"
#include "probes/net/user.hpp"
#include "watcher/drivers/git_driver.hpp"
#include "watcher/drivers/grounds.hpp"

namespace watcher {

namespace {

using probes::key;
using probes::Kind;

std::string wrong_part(const std::string& path) {
  if (!path.empty() && !path.starts_with('/') && path != ".." && !path.starts_with("../")) return {};
  return "\"" + path + "\" is not in the repository; write it from the repository's folder on, such as \"src\"";
}

constexpr std::array keys{
    key<Kind::strings, &GitDriver::paths>("paths", "Only these parts of the repository are switched.")
        .checked(wrong_part)
        .when_left_out("all of it"),
    key<Kind::commands, &GitDriver::build>("build",
                                           "Builds what was checked out; of several, up to the first that fails.")
        .when_left_out("nothing is built"),
    key<Kind::argv, &GitDriver::restart>("restart", "Starts what was checked out.")
        .required("how what was checked out is started, such as restart = [\"systemctl\", \"restart\", \"web\"]"),
    key<Kind::string, &GitDriver::user>("user", "The user that git, build and restart run as.")
        .checked(probes::wrong_user)
        .when_left_out("the owner of dir"),
    key<Kind::string, &GitDriver::restart_user>("restart_user", "The user that restart runs as.")
        .checked(probes::wrong_user)
        .when_left_out("user"),
    key<Kind::duration, &GitDriver::build_timeout>("build_timeout",
                                                   "How long a build may take, all its commands together.")
        .at_least(std::chrono::seconds(1)),
    key<Kind::duration, &GitDriver::restart_timeout>("restart_timeout", "How long a restart may take.")
        .at_least(std::chrono::seconds(1)),
};

void settle(void*, probes::Given& given) {
  if (!given.has("dir")) given.missing("dir", "the folder of the repository, such as dir = \"/opt/app\"");
  refuse_commands(given, "git");
}

}  // namespace

probes::Variety GitDriver::variety() {
  return probes::variety<DriverKind, GitDriver>("git", "A commit is checked out in dir, built and restarted.", keys,
                                                settle);
}

std::unique_ptr<Driver> GitDriver::make(const DriverSection& section, const std::string& state_dir,
                                        const probes::Clock& clock) const {
  return make_git_driver(section.service, *this, state_dir, section.timeout, clock, {});
}

Whom GitDriver::whom() const { return {user, dir}; }

std::vector<NamedCommand> GitDriver::commands(const std::string& owner) const {
  const Whom restarter{restart_user.empty() ? user : restart_user, dir};
  std::vector<NamedCommand> out = named_commands(owner + ".build", build, whom());
  out.insert(out.begin(), {owner + ".git", {"git"}, whom()});
  out.push_back({owner + ".restart", restart, restarter});
  return out;
}

std::vector<NamedCommand> GitDriver::run_from_target() const {
  std::vector<NamedCommand> out = named_commands("build", build, {});
  out.push_back({"restart", restart, {}});
  return out;
}

std::vector<Ground> GitDriver::grounds(const rules::ServiceName&) const {
  return checkout_grounds(dir, paths,
                          "give each paths of its own, or make one service of them whose restart starts both");
}

}  // namespace watcher
