#include <algorithm>
#include <array>
#include <string_view>

#include "probes/key_rows.hpp"
#include "probes/net/user.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/drivers/grounds.hpp"
#include "watcher/drivers/pm2_driver.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;

// It stands in a command line, and pm2 takes `all` and numbers for others.
std::string wrong_name(const std::string& name) {
  const bool is_number = name.find_first_not_of("0123456789") == std::string::npos;
  const bool has_control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' '; });
  if (name == "all" || is_number || name.front() == '-' || name.front() == '/' || has_control)
    return "\"" + name + "\" is no process's name; say the one that pm2 list shows";
  return {};
}

void read_processes(TableReader& reader, const Key& key, void* object) {
  std::vector<std::string>& processes = static_cast<Pm2Driver*>(object)->processes;
  processes = reader.one_or_several(key.name);
  for (const std::string& process : processes) {
    const std::string wrong = process.empty() ? "" : wrong_name(process);
    if (!wrong.empty()) reader.error(key.name, wrong);
  }
}

constexpr probes::Own processes_of{"a string, or an array of them", "\"web\"", read_processes, [](const void* object) {
                                     const auto& processes = static_cast<const Pm2Driver*>(object)->processes;
                                     return processes.empty() ? std::string() : toml_strings(processes);
                                   }};

constexpr std::array keys{
    own_key("process", processes_of, "The name by which pm2 knows the process, or several that are one for you.")
        .when_left_out("the service's own name"),
    key<Kind::commands, &Pm2Driver::build>("build",
                                           "Builds what was checked out; of several, up to the first that fails.")
        .when_left_out("nothing is built"),
    key<Kind::argv, &Pm2Driver::pm2>("pm2", "How pm2 is run.").when_left_out("[\"pm2\"]"),
    key<Kind::path, &Pm2Driver::home>("home", "The folder of pm2's daemon, PM2_HOME.")
        .when_left_out(".pm2 in the home of user"),
    key<Kind::string, &Pm2Driver::user>("user", "The user that git, build and pm2 run as.")
        .checked(probes::wrong_user)
        .when_left_out("the owner of dir"),
    key<Kind::duration, &Pm2Driver::build_timeout>("build_timeout",
                                                   "How long a build may take, all its commands together.")
        .at_least(std::chrono::seconds(1)),
    key<Kind::duration, &Pm2Driver::restart_timeout>("restart_timeout", "How long the restart may take.")
        .at_least(std::chrono::seconds(1)),
    key<Kind::duration, &Pm2Driver::steady>("steady", "How long the process has to stay online after it.")
        .at_least(std::chrono::milliseconds(500)),
};

void settle(void* object, probes::Given& given) {
  const auto& driver = *static_cast<const Pm2Driver*>(object);
  if (driver.restart_timeout <= driver.steady)
    given.error(given.has("restart_timeout") ? "restart_timeout" : "steady",
                "restart_timeout has to be longer than steady, for which the processes are looked at");
  if (!given.has("dir")) given.missing("dir", "the folder of the repository, such as dir = \"/opt/app\"");
  refuse_commands(given, "pm2");
}

}  // namespace

probes::Variety Pm2Driver::variety() {
  return probes::variety<DriverKind, Pm2Driver>("pm2", "A commit is checked out in dir, built, and restarted by pm2.",
                                                keys, settle);
}

std::unique_ptr<Driver> Pm2Driver::make(const DriverSection& section, const std::string& state_dir,
                                        const probes::Clock& clock) const {
  return make_pm2_driver(section.service, *this, state_dir, section.timeout, clock);
}

Whom Pm2Driver::whom() const { return {user, dir}; }

std::vector<NamedCommand> Pm2Driver::commands(const std::string& owner) const {
  const std::vector<std::string> usual(1, "pm2");
  std::vector<NamedCommand> out = named_commands(owner + ".build", build, whom());
  out.insert(out.begin(), {owner + ".git", {"git"}, whom()});
  out.push_back({owner + ".pm2", pm2.empty() ? usual : pm2, whom()});
  return out;
}

std::vector<Ground> Pm2Driver::grounds(const rules::ServiceName&) const {
  return checkout_grounds(dir, {}, shared_checkout_advice);
}

}  // namespace watcher
