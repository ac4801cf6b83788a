#include "watcher/drivers/systemd_notes.hpp"

#include <boost/json.hpp>
#include <utility>

#include "watcher/drivers/notes_file.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* const found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

}  // namespace

std::string to_json(const SystemdNotes& notes) {
  json::object known;
  for (const auto& [unit, what] : notes.known)
    known[unit] = json::object{{"state", what.state}, {"release", what.release}};
  json::array aftermath;
  for (const std::string& line : notes.aftermath) aftermath.emplace_back(line);
  json::object root{{"switching_to", notes.switching_to}};
  root["known"] = std::move(known);
  root["aftermath"] = std::move(aftermath);
  return json::serialize(root) + "\n";
}

std::optional<SystemdNotes> parse_systemd_notes(std::string_view text) {
  json::error_code error;
  const json::value root = json::parse(text, error);
  if (error || !root.is_object()) return std::nullopt;
  SystemdNotes out;
  out.switching_to = text_at(root.get_object(), "switching_to");
  const json::value* const known = root.get_object().if_contains("known");
  const json::value* const aftermath = root.get_object().if_contains("aftermath");
  if (known == nullptr || !known->is_object() || aftermath == nullptr || !aftermath->is_array()) return std::nullopt;
  for (const auto& one : known->get_object()) {
    if (!one.value().is_object()) return std::nullopt;
    const json::object& what = one.value().get_object();
    out.known[std::string(one.key())] = {text_at(what, "state"), text_at(what, "release")};
  }
  for (const json::value& line : aftermath->get_array()) {
    if (line.is_string()) out.aftermath.emplace_back(line.get_string());
  }
  return out;
}

SystemdNotesFile::SystemdNotesFile(const std::string& state_dir, const std::string& service)
    : path_(state_dir + "/systemd/" + service + ".json") {}

SystemdNotes SystemdNotesFile::read() const {
  const std::optional<std::string> text = read_whole(path_);
  if (!text) return {};
  return parse_systemd_notes(*text).value_or(SystemdNotes());
}

std::optional<std::string> SystemdNotesFile::write(const SystemdNotes& notes) const {
  return write_notes(path_, to_json(notes));
}

}  // namespace watcher
