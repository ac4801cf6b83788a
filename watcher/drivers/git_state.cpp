#include "watcher/drivers/git_state.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "watcher/drivers/notes_file.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

namespace json = boost::json;

namespace {

constexpr std::size_t state_file_max = 1024 * 1024;  // bytes; 1 KiB, and as much for each submodule with changes

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool flag_at(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

json::object to_json_object(const GitPlace& place) {
  return {{"head", place.head}, {"mark", place.mark}, {"target", place.target}, {"running", place.running}};
}

GitPlace place_from(const json::object& object) {
  return {text_at(object, "head"), text_at(object, "mark"), text_at(object, "target"), text_at(object, "running")};
}

void add(json::object& object, const GitPutAway& put_away) {
  object["stash"] = put_away.stash;
  object["stash_message"] = put_away.stash_message;
  object["aside"] = put_away.aside;
  object["aside_message"] = put_away.aside_message;
  object["is_back"] = put_away.is_back;
  if (!put_away.aside_names.empty()) {
    object["aside_names"] = json::array(put_away.aside_names.begin(), put_away.aside_names.end());
    object["aside_unnamed"] = put_away.aside_unnamed;
  }
  if (put_away.modes.empty()) return;
  json::array modes;
  for (const GitFileMode& mode : put_away.modes) {
    modes.push_back({{"name", mode.name}, {"mode", mode.mode}, {"uid", mode.uid}, {"gid", mode.gid}});
  }
  object["modes"] = std::move(modes);
  object["modes_unnoted"] = put_away.modes_unnoted;
}

unsigned number_at(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  json::error_code wrong;
  return value == nullptr ? 0 : value->to_number<unsigned>(wrong);
}

std::vector<GitFileMode> modes_from(const json::object& object) {
  std::vector<GitFileMode> modes;
  const json::value* const list = object.if_contains("modes");
  if (list == nullptr || !list->is_array()) return modes;
  for (const json::value& one : list->get_array()) {
    if (!one.is_object() || modes.size() == git_modes_noted_max) break;
    const json::object& fields = one.get_object();
    modes.push_back(
        {text_at(fields, "name"), number_at(fields, "mode"), number_at(fields, "uid"), number_at(fields, "gid")});
  }
  return modes;
}

std::vector<std::string> names_from(const json::object& object) {
  std::vector<std::string> names;
  const json::value* const list = object.if_contains("aside_names");
  if (list == nullptr || !list->is_array()) return names;
  for (const json::value& one : list->get_array()) {
    if (one.is_string() && names.size() < git_names_noted_max) names.emplace_back(one.get_string());
  }
  return names;
}

GitPutAway put_away_from(const json::object& object) {
  GitPutAway put_away;
  put_away.stash = text_at(object, "stash");
  put_away.stash_message = text_at(object, "stash_message");
  put_away.aside = text_at(object, "aside");
  put_away.aside_message = text_at(object, "aside_message");
  put_away.is_back = flag_at(object, "is_back");
  put_away.modes = modes_from(object);
  put_away.modes_unnoted = number_at(object, "modes_unnoted");
  put_away.aside_names = names_from(object);
  put_away.aside_unnamed = number_at(object, "aside_unnamed");
  return put_away;
}

json::object to_json_object(const GitLeftInside& left) {
  json::object object{{"dir", left.dir}, {"was_at", left.was_at}};
  add(object, left.put_away);
  return object;
}

json::object to_json_object(const GitAftermath& aftermath) {
  json::object object{{"incident", aftermath.incident},
                      {"branch", aftermath.branch},
                      {"left_at", aftermath.left_at},
                      {"from", aftermath.from},
                      {"submodules", aftermath.submodules}};
  add(object, aftermath.put_away);
  json::array inside;
  for (const GitLeftInside& left : aftermath.inside) inside.push_back(to_json_object(left));
  object["inside"] = std::move(inside);
  json::object during;
  add(during, aftermath.during);
  object["during"] = std::move(during);
  json::array earlier;
  for (const GitPutAway& put_away : aftermath.earlier) {
    json::object one;
    add(one, put_away);
    earlier.push_back(std::move(one));
  }
  object["earlier"] = std::move(earlier);
  return object;
}

// What an older version has written has nothing inside, and nothing of during and earlier.
GitAftermath aftermath_from(const json::object& object) {
  GitAftermath aftermath{text_at(object, "incident"),
                         text_at(object, "branch"),
                         put_away_from(object),
                         text_at(object, "left_at"),
                         flag_at(object, "submodules"),
                         {},
                         {},
                         {}};
  aftermath.from = text_at(object, "from");
  const json::value* const during = object.if_contains("during");
  if (during != nullptr && during->is_object()) aftermath.during = put_away_from(during->get_object());
  const json::value* const earlier = object.if_contains("earlier");
  if (earlier != nullptr && earlier->is_array()) {
    for (const json::value& one : earlier->get_array()) {
      if (one.is_object()) aftermath.earlier.push_back(put_away_from(one.get_object()));
    }
  }
  const json::value* const inside = object.if_contains("inside");
  if (inside == nullptr || !inside->is_array()) return aftermath;
  for (const json::value& left : inside->get_array()) {
    if (!left.is_object()) continue;
    const json::object& fields = left.get_object();
    aftermath.inside.push_back({text_at(fields, "dir"), text_at(fields, "was_at"), put_away_from(fields)});
  }
  return aftermath;
}

}  // namespace

std::string to_json(const GitState& state) {
  json::array places;
  for (const GitPlace& place : state.places) places.push_back(to_json_object(place));
  json::object root;
  root["places"] = std::move(places);
  root["aftermath"] = to_json_object(state.aftermath);
  return json::serialize(root) + "\n";
}

std::optional<GitState> parse_git_state(std::string_view text) {
  json::error_code error;
  const json::value root = json::parse(text, error);
  if (error || !root.is_object()) return std::nullopt;
  const json::value* const places = root.get_object().if_contains("places");
  const json::value* const aftermath = root.get_object().if_contains("aftermath");
  if (places == nullptr || !places->is_array() || aftermath == nullptr || !aftermath->is_object()) return std::nullopt;
  GitState state;
  for (const json::value& place : places->get_array()) {
    if (!place.is_object() || state.places.size() == git_places_max) return std::nullopt;
    state.places.push_back(place_from(place.get_object()));
  }
  state.aftermath = aftermath_from(aftermath->get_object());
  return state;
}

GitStateFile::GitStateFile(const std::string& state_dir, const std::string& service)
    : path_(state_dir + "/git/" + service + ".json") {}

std::optional<GitState> GitStateFile::read() const {
  std::error_code error;
  const bool absent = !std::filesystem::exists(path_, error) && !error;
  if (absent) return GitState();
  std::ifstream in(path_, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(state_file_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return parse_git_state(text);
}

std::optional<std::string> GitStateFile::write(const GitState& state) const {
  return write_notes(path_, to_json(state));
}

}  // namespace watcher
