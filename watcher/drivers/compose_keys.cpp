#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "probes/key_rows.hpp"
#include "probes/net/user.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/drivers/compose_driver.hpp"
#include "watcher/drivers/grounds.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;
using Strings = std::vector<std::string>;

constexpr std::string_view letters_and_digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

// Of services, projects and profiles: they stand in command lines.
std::string wrong_name(const std::string& name) {
  const std::string inner = std::string(letters_and_digits) + "._-";
  const bool right = !name.empty() && (letters_and_digits.find(name.front()) != letters_and_digits.npos) &&
                     name.find_first_not_of(inner) == std::string::npos;
  return right
             ? ""
             : "\"" + name + "\" is no name of Compose; it begins with a letter or digit, and then has those and . _ -";
}

std::string wrong_kept(const std::string& path) {
  const std::filesystem::path plain = std::filesystem::path(path).lexically_normal();
  const bool is_below = !path.empty() && plain.is_relative() && *plain.begin() != ".." && plain != ".";
  return is_below
             ? ""
             : "\"" + path + "\" is no file of the project; write it from the project's folder on, such as \".env\"";
}

std::string several_toml(const Strings& all) { return all.empty() ? std::string() : toml_strings(all); }

// As for Compose a relative one starts in the project's folder.
void read_files(TableReader& reader, const Key& key, void* object) {
  const std::string& dir = reader.commands_dir().empty() ? reader.loading().dir : reader.commands_dir();
  Strings& files = static_cast<ComposeDriver*>(object)->files;
  for (const std::string& file : reader.one_or_several(key.name))
    files.push_back((std::filesystem::path(dir) / file).lexically_normal().string());
}

void read_services(TableReader& reader, const Key& key, void* object) {
  Strings& services = static_cast<ComposeDriver*>(object)->services;
  services = reader.one_or_several(key.name);
  for (const std::string& service : services) {
    const std::string wrong = service.empty() ? "" : wrong_name(service);
    if (!wrong.empty()) reader.error(key.name, wrong);
  }
}

constexpr probes::Own files_of{
    "a path, or an array of them", "\"docker-compose.prod.yml\"", read_files,
    [](const void* object) { return several_toml(static_cast<const ComposeDriver*>(object)->files); }};
constexpr probes::Own services_of{"a string, or an array of them", "\"web\"", read_services, [](const void* object) {
                                    return several_toml(static_cast<const ComposeDriver*>(object)->services);
                                  }};

constexpr probes::Word restored[]{
    {"nothing", 0, "what was kept stays where it is kept"},
    {"files", 1, "kept files are given back what they had; what they have is put aside"},
};

constexpr std::array keys{
    own_key("file", files_of, "The Compose file, or several that are laid over each other; seen from dir.")
        .when_left_out("the one that Compose finds in dir"),
    own_key("compose_service", services_of, "The services of the project that are switched, and no other.")
        .when_left_out("the one of the service's own name"),
    key<Kind::string, &ComposeDriver::project>("project", "The project's name.")
        .checked(wrong_name)
        .when_left_out("that of the containers which were started from dir"),
    key<Kind::strings, &ComposeDriver::profiles>("profiles", "Profiles that are active.")
        .checked(wrong_name)
        .when_left_out("none"),
    key<Kind::argv, &ComposeDriver::compose>("compose", "How Compose is run.")
        .when_left_out("[\"docker\", \"compose\"] or [\"docker-compose\"], the one that made the containers"),
    key<Kind::string, &ComposeDriver::user>("user", "The user that Docker and Compose run as.")
        .checked(probes::wrong_user)
        .when_left_out("the owner of dir"),
    key<Kind::strings, &ComposeDriver::keep>("keep", "Files below dir that are copied with each revision.")
        .checked(wrong_kept)
        .when_left_out("none"),
    probes::choice<restored, &ComposeDriver::restores_files>("restore", "What of keep a switch brings back."),
    key<Kind::duration, &ComposeDriver::up_timeout>("up_timeout", "How long the containers may take to be up.")
        .at_least(std::chrono::seconds(1)),
};

void settle(void* object, probes::Given& given) {
  const auto& driver = *static_cast<const ComposeDriver*>(object);
  if (!given.has("dir") && !given.has("file"))
    given.missing("dir", "the folder of the Compose project, such as dir = \"/opt/app\"");
  if (driver.restores_files && driver.keep.empty())
    given.error("restore", "\"files\" needs to know which; add keep = [\".env\"]");
  refuse_commands(given, "compose");
}

}  // namespace

probes::Variety ComposeDriver::variety() {
  return probes::variety<DriverKind, ComposeDriver>(
      "compose", "Services of a Docker Compose project run from the images and settings that they had.", keys, settle);
}

std::unique_ptr<Driver> ComposeDriver::make(const DriverSection& section, const std::string& state_dir,
                                            const probes::Clock& clock) const {
  return make_compose_driver(section.service, *this, state_dir, clock);
}

Whom ComposeDriver::whom() const { return {user, dir}; }

std::vector<NamedCommand> ComposeDriver::commands(const std::string& owner) const {
  if (!compose.empty()) return {{owner + ".compose", compose, whom()}};
  return {{owner + ".docker", {"docker"}, whom()}};
}

std::string ComposeDriver::implied_dir() const {
  return files.empty() ? "" : std::filesystem::path(files.front()).parent_path().string();
}

// Where no project is named it is that of the containers that were started from the folder.
std::vector<Ground> ComposeDriver::grounds(const rules::ServiceName& service) const {
  std::string where = "Compose project " + project;
  if (project.empty()) {
    where += "of " + real_place(dir).string();
    for (const std::string& file : files) where += '\n' + file;
  }
  std::vector<std::string> all = services;
  if (all.empty()) all.push_back(service.text);
  std::sort(all.begin(), all.end());
  std::vector<Ground> out;
  for (const std::string& one : all)
    out.push_back({where, one, Ground::Extent::alone, one + " of one Compose project",
                   "name in compose_service what each of them is"});
  return out;
}

}  // namespace watcher
