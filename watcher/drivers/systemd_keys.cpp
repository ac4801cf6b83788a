#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "probes/key_rows.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/drivers/grounds.hpp"
#include "watcher/drivers/systemd_driver.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;

constexpr std::string_view service_ending = ".service";

std::string wrong_unit(const std::string& name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@\\-";
  constexpr std::size_t longest = 255;
  const bool right = name.find_first_not_of(allowed) == std::string::npos && name.front() != '-' &&
                     name.size() <= longest && name != service_ending;
  if (!right) return "\"" + name + "\" is no unit's name";
  for (const char* const other : {".socket", ".target", ".timer", ".path", ".mount", ".slice", ".scope"}) {
    if (name.ends_with(other)) return "\"" + name + "\" is no service; name the one that runs the release";
  }
  // Another one that it may run in is found by `ready`.
  if (name == "rollbackd" || name == "rollbackd.service")
    return "\"" + name + "\" is rollbackd's own; name the application's unit";
  return {};
}

void read_units(TableReader& reader, const Key& key, void* object) {
  std::vector<std::string>& units = static_cast<SystemdDriver*>(object)->units;
  units = reader.one_or_several(key.name);
  for (std::string& unit : units) {
    const std::string wrong = unit.empty() ? "" : wrong_unit(unit);
    if (!wrong.empty()) reader.error(key.name, wrong);
    if (!unit.ends_with(service_ending)) unit += service_ending;
  }
}

constexpr probes::Own units_of{"a string, or an array of them", "\"web\"", read_units, [](const void* object) {
                                 const auto& units = static_cast<const SystemdDriver*>(object)->units;
                                 return units.empty() ? std::string() : toml_strings(units);
                               }};

constexpr std::array keys{
    own_key("unit", units_of, "The unit that runs the release, or several that run the same one.")
        .when_left_out("the one of the service's own name"),
    key<Kind::path, &SystemdDriver::link>("link", "The symbolic link to the folder of the release that runs.")
        .required("the link that the unit starts from, such as link = \"/srv/app/current\""),
    key<Kind::path, &SystemdDriver::releases>("releases", "The folder with a folder for each release.")
        .when_left_out("\"releases\" beside the link"),
    key<Kind::argv, &SystemdDriver::systemctl>("systemctl", "How systemctl is run.").when_left_out("[\"systemctl\"]"),
    key<Kind::duration, &SystemdDriver::restart_timeout>("restart_timeout", "How long the restart may take.")
        .at_least(std::chrono::seconds(1)),
    key<Kind::duration, &SystemdDriver::steady>("steady", "How long the unit has to stay active after it.")
        .at_least(std::chrono::milliseconds(500)),
};

void settle(void* object, probes::Given& given) {
  const auto& driver = *static_cast<const SystemdDriver*>(object);
  if (driver.restart_timeout <= driver.steady)
    given.error(given.has("restart_timeout") ? "restart_timeout" : "steady",
                "restart_timeout has to be longer than steady, for which the units are looked at");
  refuse_commands(given, "systemd");
}

}  // namespace

probes::Variety SystemdDriver::variety() {
  return probes::variety<DriverKind, SystemdDriver>(
      "systemd", "A symbolic link leads to the folder of the release that a unit runs.", keys, settle);
}

std::unique_ptr<Driver> SystemdDriver::make(const DriverSection& section, const std::string& state_dir,
                                            const probes::Clock& clock) const {
  return make_systemd_driver(section.service, *this, state_dir, clock);
}

std::vector<NamedCommand> SystemdDriver::commands(const std::string& owner) const {
  if (!systemctl.empty()) return {{owner + ".systemctl", systemctl, whom()}};
  return {{owner + ".systemctl", {"systemctl"}, whom()}};
}

// The link itself counts, wherever it leads.
std::vector<std::string> SystemdDriver::relies_on() const {
  if (link.empty()) return {};
  const std::string beside = (std::filesystem::path(link).parent_path() / "releases").string();
  return {link, releases.empty() ? beside : releases};
}

std::vector<Ground> SystemdDriver::grounds(const rules::ServiceName& service) const {
  const std::filesystem::path named = std::filesystem::path(link).lexically_normal();
  const std::filesystem::path place = real_place(named.parent_path()) / named.filename();
  std::vector<Ground> out(1);
  out.front() = {"links", place.string(), Ground::Extent::alone, link,
                 "make one service of them, whose unit names what runs from it"};
  std::vector<std::string> all = units;
  if (all.empty()) all.push_back(service.text + ".service");
  std::sort(all.begin(), all.end());
  for (const std::string& unit : all)
    out.push_back({"units", unit, Ground::Extent::alone, unit,
                   "name in unit what runs from the link of each, or make one service of them"});
  return out;
}

}  // namespace watcher
